//! From a plot to what happens when: beats on a time line that do not know yet whose words they will be told in.

use super::cast::{Cast, Edit, File, Plot, Project, Run, Scene, Search, WebPage};
use super::random::Random;

/// Something that happens at one moment, ms since 1970.
#[derive(Debug, Clone)]
pub struct Beat<'a> {
    pub at_ms: i64,
    /// The subagent it happens in: an index into [`Script::helpers`].
    pub helper: Option<usize>,
    pub act: Act<'a>,
}

#[derive(Debug, Clone)]
pub enum Act<'a> {
    Begin,
    Prompt(String),
    Think(&'a str),
    CallStart {
        call: usize,
        tool: Tool<'a>,
    },
    CallEnd {
        call: usize,
        tool: Tool<'a>,
        took_ms: i64,
    },
    /// The person is asked whether the call may run.
    Permission {
        tool: Tool<'a>,
    },
    HelperStart,
    HelperStop(&'a str),
    /// The answer that ends a turn.
    Answer(&'a str),
    /// The agent says that it waits.
    Idle,
    Overloaded,
    End,
}

#[derive(Debug, Clone)]
pub enum Tool<'a> {
    Run(&'a Run),
    Read(&'a File),
    Edit {
        edit: &'a Edit,
        file: &'a File,
    },
    Search(&'a Search),
    /// The agent wants a file that is not there.
    Missing(&'a str),
    Web(&'a WebPage),
    Helper(usize),
    Ask {
        question: &'a str,
        choices: &'a [String],
    },
    /// A command that waits for permission, or runs at the end.
    Plain(&'a str),
}

/// A subagent of a session.
#[derive(Debug, Clone)]
pub struct Helper {
    pub id: String,
    pub kind: &'static str,
    pub about: &'static str,
}

#[derive(Debug, Clone)]
pub struct Script<'a> {
    pub plot: &'a Plot,
    pub beats: Vec<Beat<'a>>,
    pub helpers: Vec<Helper>,
}

/// Live play ends this long after now, with calls still open.
const LIVE_MS: i64 = 30 * 60 * 1000;
const HELPERS: [(&str, &str); 3] = [
    ("Explore", "Who calls mergeBlocks()"),
    ("Explore", "Benchmarks in the repository"),
    ("Plan", "Merge strategy for list moves"),
];

/// Writes the script of one session. `began_ms` is its first moment, `until_ms` its last one before now.
pub fn write<'a>(
    cast: &'a Cast,
    plot: &'a Plot,
    random: Random,
    began_ms: i64,
    until_ms: i64,
    now_ms: i64,
) -> Script<'a> {
    let mut writer = Writer {
        project: cast.project(&plot.project),
        plot,
        random,
        clock_ms: 0,
        busy_until_ms: 0,
        calls: 0,
        prompts: 0,
        thoughts: 0,
        beats: Vec::new(),
        helpers: Vec::new(),
    };
    writer.history();
    let split_ms = writer.clock_ms.max(1);
    if matches!(plot.scene, Scene::Running | Scene::Delegating) {
        writer.live(split_ms);
    }
    writer.beats.sort_by_key(|beat| beat.at_ms);
    let span_ms = until_ms - began_ms;
    let place = |at_ms: i64| {
        if at_ms <= split_ms { began_ms + at_ms * span_ms / split_ms } else { now_ms + (at_ms - split_ms) }
    };
    let mut beats = writer.beats;
    for beat in &mut beats {
        let end_ms = place(beat.at_ms);
        beat.at_ms = match &mut beat.act {
            // What the call took is its own; only the pauses between calls stretch with the day.
            Act::CallEnd { took_ms, .. } => {
                let start_ms = place(beat.at_ms - *took_ms);
                *took_ms = (*took_ms).min(end_ms - start_ms).max(1);
                if end_ms > now_ms && start_ms <= now_ms { end_ms } else { start_ms + *took_ms }
            }
            _ => end_ms,
        };
    }
    beats.sort_by_key(|beat| beat.at_ms);
    Script { plot, beats, helpers: writer.helpers }
}

struct Writer<'a> {
    project: &'a Project,
    plot: &'a Plot,
    random: Random,
    /// Nominal time of the main thread since the session began.
    clock_ms: i64,
    /// Until then the main thread waits for its subagents.
    busy_until_ms: i64,
    calls: usize,
    prompts: usize,
    thoughts: usize,
    beats: Vec<Beat<'a>>,
    helpers: Vec<Helper>,
}

impl<'a> Writer<'a> {
    fn history(&mut self) {
        self.beat(Act::Begin);
        let turns = self.plot.prompts.len();
        for turn in 0..turns {
            let last = turn + 1 == turns;
            self.prompt();
            let wanted = self.plot.calls * (turn + 1) / turns;
            while self.calls < wanted {
                self.step();
            }
            if !last {
                self.answer();
                self.wait(20_000, 70_000);
            }
        }
        match self.plot.scene {
            Scene::Running => {}
            Scene::Delegating => self.delegate(),
            Scene::Permission => {
                let tool = Tool::Plain(&self.plot.command);
                self.think();
                self.start(tool.clone());
                self.wait(100, 200);
                self.beat(Act::Permission { tool });
            }
            Scene::Question => {
                self.think();
                self.start(Tool::Ask { question: &self.plot.question, choices: &self.plot.choices });
            }
            Scene::Stuck => self.repeat_failing(),
            Scene::Idle => {
                self.answer();
                self.wait(60_000, 60_000);
                self.beat(Act::Idle);
            }
            Scene::Ended => {
                self.answer();
                self.wait(30_000, 90_000);
                self.beat(Act::End);
            }
            Scene::Failed => {
                self.think();
                self.beat(Act::Overloaded);
            }
        }
    }

    /// Goes on after now, turn after turn, and leaves with a command running.
    fn live(&mut self, split_ms: i64) {
        self.clock_ms = self.clock_ms.max(self.busy_until_ms);
        while self.clock_ms < split_ms + LIVE_MS {
            for _ in 0..self.random.between(5, 9) {
                self.step();
            }
            self.answer();
            self.wait(2_500, 7_000);
            self.prompt();
        }
        self.think();
        let Some(run) = self.project.runs.first() else { return };
        self.start(Tool::Run(run));
    }

    fn prompt(&mut self) {
        const MORE: [&str; 5] = [
            "Yes, go on.",
            "Show me the numbers before and after.",
            "Add a test for the edge you just found.",
            "Run everything once more, then tidy up.",
            "Explain in two sentences why this is right, then continue.",
        ];
        let text = match self.plot.prompts.get(self.prompts) {
            Some(text) => text.clone(),
            None => MORE[(self.prompts - self.plot.prompts.len()) % MORE.len()].to_owned(),
        };
        self.prompts += 1;
        self.beat(Act::Prompt(text));
        self.wait(1_500, 4_000);
    }

    /// One thing an agent does: looks, changes or runs something, sometimes after a thought.
    fn step(&mut self) {
        if self.random.chance(34) {
            self.think();
        }
        let project = self.project;
        let roll = self.random.between(0, 99);
        let tool = match roll {
            0..=27 => self.random.pick(&project.file).map(Tool::Read),
            28..=43 => self.random.pick(&project.searches).map(Tool::Search),
            44..=65 => self.random.pick(&project.edit).map(|edit| Tool::Edit { edit, file: &project.file[edit.file] }),
            66..=88 => self.random.pick(&project.runs).map(Tool::Run),
            89..=93 => self.random.pick(&project.fails).map(Tool::Run),
            94..=95 if self.plot.agent == "claude-code" => {
                self.random.pick(&project.file).map(|file| Tool::Missing(&file.path))
            }
            _ if self.plot.agent == "claude-code" => self.random.pick(&project.pages).map(Tool::Web),
            _ => self.random.pick(&project.runs).map(Tool::Run),
        };
        if let Some(tool) = tool.or_else(|| project.runs.first().map(Tool::Run)) {
            self.call(tool);
        }
    }

    fn repeat_failing(&mut self) {
        let (Some(fail), Some(edit)) = (self.project.fails.first(), self.project.edit.first()) else { return };
        for round in 0..5 {
            self.call(Tool::Run(fail));
            if round < 4 {
                self.think();
                self.call(Tool::Edit { edit, file: &self.project.file[edit.file] });
            }
        }
        self.think();
    }

    /// Starts three subagents side by side; they are at work when the history ends.
    fn delegate(&mut self) {
        self.think();
        let mut longest_ms = self.clock_ms;
        let mut ends = Vec::new();
        for (lane, (kind, about)) in HELPERS.into_iter().enumerate() {
            let call = self.calls;
            let id = format!("a{}", self.random.hex(16));
            let index = self.helpers.len();
            self.helpers.push(Helper { id, kind, about });
            self.start(Tool::Helper(index));
            let began_ms = self.clock_ms;
            let mut lane_ms = began_ms + 300;
            self.push(lane_ms, Some(index), Act::HelperStart);
            for _ in 0..14 + lane * 4 {
                lane_ms += self.random.between(3_000, 11_000) as i64;
                if let Some(thought) = self.project.thoughts.get((lane + self.calls) % self.project.thoughts.len())
                    && self.random.chance(25)
                {
                    self.push(lane_ms, Some(index), Act::Think(thought));
                    lane_ms += 2_000;
                }
                let project = self.project;
                let tool = match self.random.between(0, 9) {
                    0..=4 => self.random.pick(&project.file).map(Tool::Read),
                    5..=8 => self.random.pick(&project.searches).map(Tool::Search),
                    _ => self.random.pick(&project.runs).map(Tool::Run),
                };
                let Some(tool) = tool else { continue };
                let took_ms = self.duration(&tool);
                let number = self.calls;
                self.calls += 1;
                self.push(lane_ms, Some(index), Act::CallStart { call: number, tool: tool.clone() });
                lane_ms += took_ms;
                self.push(lane_ms, Some(index), Act::CallEnd { call: number, tool, took_ms });
            }
            lane_ms += 4_000;
            let report = self.project.answers.get(lane % self.project.answers.len()).map_or("", String::as_str);
            self.push(lane_ms, Some(index), Act::HelperStop(report));
            ends.push((call, index, began_ms, lane_ms + 200));
            longest_ms = longest_ms.max(lane_ms + 300);
            self.wait(300, 900);
        }
        for (call, index, began_ms, end_ms) in ends {
            self.push(end_ms, None, Act::CallEnd { call, tool: Tool::Helper(index), took_ms: end_ms - began_ms });
        }
        // Now is 80 seconds into their work; the main thread goes on when all are back.
        self.clock_ms += 80_000;
        self.busy_until_ms = longest_ms + 2_000;
    }

    fn call(&mut self, tool: Tool<'a>) {
        let call = self.start(tool.clone());
        let took_ms = self.duration(&tool);
        self.clock_ms += took_ms;
        self.beat(Act::CallEnd { call, tool, took_ms });
        self.wait(1_200, 4_500);
    }

    fn start(&mut self, tool: Tool<'a>) -> usize {
        let call = self.calls;
        self.calls += 1;
        self.beat(Act::CallStart { call, tool });
        call
    }

    fn duration(&mut self, tool: &Tool<'a>) -> i64 {
        let (low, high) = match tool {
            Tool::Run(run) => (run.secs * 800, run.secs * 1_250),
            Tool::Read(_) | Tool::Missing(_) => (8, 90),
            Tool::Edit { .. } => (30, 180),
            Tool::Search(_) => (40, 600),
            Tool::Web(_) => (1_100, 4_800),
            Tool::Helper(_) | Tool::Ask { .. } | Tool::Plain(_) => (1_000, 2_000),
        };
        self.random.between(low, high) as i64
    }

    fn think(&mut self) {
        let thought = &self.project.thoughts[self.thoughts % self.project.thoughts.len()];
        self.thoughts += 1;
        self.beat(Act::Think(thought));
        self.wait(2_000, 9_000);
    }

    fn answer(&mut self) {
        let answer = &self.project.answers[self.prompts.saturating_sub(1) % self.project.answers.len()];
        self.beat(Act::Answer(answer));
    }

    fn wait(&mut self, low: u64, high: u64) {
        self.clock_ms += self.random.between(low, high) as i64;
    }

    fn beat(&mut self, act: Act<'a>) {
        self.push(self.clock_ms, None, act);
    }

    fn push(&mut self, at_ms: i64, helper: Option<usize>, act: Act<'a>) {
        self.beats.push(Beat { at_ms, helper, act });
    }
}
