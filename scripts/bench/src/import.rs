//! Reading history: cost straight from files against ccusage, and imports: the first, the next, and of one line more.
//!
//! `ORRERY_BENCH_TREE_MB` is the size of the made-up tree, 1024 without; peak memory is measured on it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::tree::{self, Tree};
use orrery_bench::figure::Figure;
use orrery_bench::pairs;
use orrery_bench::place::Place;

const SEED: u64 = 20_261_122;
const ROUNDS: usize = 3;

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let megabytes = std::env::var("ORRERY_BENCH_TREE_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(1_024_u64);
    let dir = tempfile::tempdir()?;
    eprintln!("making a tree of {megabytes} MB");
    let tree = tree::make(&dir.path().join("tree"), megabytes << 20, SEED)?;
    let orrery = place.orrery()?;
    let mut figures = vec![Figure::plain("import: made-up tree", tree.bytes as f64 / 1e6, "MB")];

    let cost = CostScan { orrery: &orrery, ccusage: place.node_script(CCUSAGE), home: dir.path() };
    if cost.ccusage.is_file() {
        figures.push(cost.compare("made-up tree", &tree, true)?);
        for (name, claude, codex) in place.fixtures() {
            let tree = laid_out(&dir.path().join(name), &claude, &codex)?;
            figures.push(cost.compare(name, &tree, false)?);
        }
    } else {
        eprintln!("skipped: ccusage is not installed (npm ci in scripts/node)");
    }
    let scan = cost.ours(&tree)?;

    let data = dir.path().join("data");
    let first = import(&orrery, &tree, &data, dir.path())?;
    figures.push(Figure::plain("import: cost-only scan, CPU", scan.cpu.as_secs_f64(), "s"));
    figures.push(Figure::plain("import: first import, CPU", first.cpu.as_secs_f64(), "s"));
    figures.push(Figure::plain("import: first import to cost-only scan, CPU", ratio(first.cpu, scan.cpu), "x"));
    let rate = tree.bytes as f64 / 1e6 / first.wall.as_secs_f64();
    figures.push(Figure::plain("import: first import, rate", rate, "MB/s"));
    figures.push(Figure::less("import: peak memory", first.peak_kb / 1024.0, "MB", 200.0, 96.0));
    let size = std::fs::metadata(data.join("orrery.db"))?.len() as f64;
    figures.push(Figure::plain("import: database to transcripts", size / tree.bytes as f64, "x"));

    let again = import(&orrery, &tree, &data, dir.path())?;
    let of = |name: &str| again.report[name].as_f64().unwrap_or(f64::NAN);
    figures.push(Figure::less("import: second, files parsed", of("files_parsed"), "", 0.0, 0.0));
    figures.push(Figure::less("import: second, rows written", of("rows_written"), "", 0.0, 0.0));
    figures.extend(one_line_more(&orrery, dir.path())?);
    Ok(figures)
}

/// Links to folders of transcripts where both programs look for them.
fn laid_out(dir: &Path, claude: &Path, codex: &Path) -> anyhow::Result<Tree> {
    let tree = Tree { claude: dir.join("claude"), codex: dir.join("codex"), bytes: 0 };
    for (folder, name, target) in [(&tree.claude, "projects", claude), (&tree.codex, "sessions", codex)] {
        std::fs::create_dir_all(folder)?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(target, folder.join(name))?;
    }
    Ok(tree)
}

/// The program of ccusage itself, without the script that starts it.
const CCUSAGE: &str = if cfg!(target_os = "macos") {
    "node_modules/@ccusage/ccusage-darwin-arm64/bin/ccusage"
} else {
    "node_modules/@ccusage/ccusage-linux-x64/bin/ccusage"
};

struct CostScan<'a> {
    orrery: &'a Path,
    ccusage: PathBuf,
    home: &'a Path,
}

impl CostScan<'_> {
    /// How much faster the tables of both agents are made here. On a tree where both must count alike, they have to.
    fn compare(&self, name: &str, tree: &Tree, must_agree: bool) -> anyhow::Result<Figure> {
        if must_agree {
            let (ours, theirs) = (tokens(&self.ours(tree)?.report)?, self.their_tokens(tree)?);
            if ours != theirs {
                bail!("orrery counts {ours:?} tokens and ccusage {theirs:?}: a speed says nothing then");
            }
        }
        let pairs = pairs::abba(ROUNDS, || Ok(self.ours(tree)?.wall), || self.theirs(tree, |_| ()))?;
        let name = format!(
            "import: cost-only scan to ccusage, {name} ({:.0} ms, {:.0} ms)",
            pairs.a.as_secs_f64() * 1e3,
            pairs.b.as_secs_f64() * 1e3
        );
        Ok(Figure::more(&name, pairs.ratio, "x", 0.8, 1.2))
    }

    fn ours(&self, tree: &Tree) -> anyhow::Result<Run> {
        let mut command = Command::new(self.orrery);
        command.args(["cost", "daily", "--json", "--claude"]).arg(&tree.claude).arg("--codex").arg(&tree.codex);
        run(own(&mut command, self.home))
    }

    /// Both reports of ccusage; together they are what one of ours is.
    fn theirs(&self, tree: &Tree, mut told: impl FnMut(&Value)) -> anyhow::Result<Duration> {
        let mut wall = Duration::ZERO;
        for agent in ["claude", "codex"] {
            let mut command = Command::new(&self.ccusage);
            command.args([agent, "daily", "--json", "--offline", "--timezone", "UTC"]);
            command.env("CLAUDE_CONFIG_DIR", &tree.claude).env("CODEX_HOME", &tree.codex);
            let run = run(own(&mut command, self.home))?;
            told(&run.report);
            wall += run.wall;
        }
        Ok(wall)
    }

    fn their_tokens(&self, tree: &Tree) -> anyhow::Result<[u64; 4]> {
        let mut sums = [0; 4];
        self.theirs(tree, |report| {
            for (sum, kind) in
                sums.iter_mut().zip(["inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens"])
            {
                *sum += report["totals"][kind].as_u64().unwrap_or(0);
            }
        })?;
        Ok(sums)
    }
}

/// Input, output, cache writes, cache reads.
fn tokens(report: &Value) -> anyhow::Result<[u64; 4]> {
    let of = |kind: &str| report["totals"][kind].as_u64().context("a report without totals");
    Ok([of("input_tokens")?, of("output_tokens")?, of("cache_creation_tokens")?, of("cache_read_tokens")?])
}

fn import(orrery: &Path, tree: &Tree, data: &Path, home: &Path) -> anyhow::Result<Run> {
    let mut command = Command::new(orrery);
    command.args(["import", "--json", "--claude"]).arg(&tree.claude).arg("--codex").arg(&tree.codex);
    run(own(command.arg("--data-dir").arg(data), home))
}

/// A line behind 50 MB: how much of the file is read for it.
fn one_line_more(orrery: &Path, home: &Path) -> anyhow::Result<Option<Figure>> {
    const LARGE: u64 = 50 << 20;
    let dir = home.join("grown");
    let tree = tree::one_file(&dir, LARGE, SEED)?;
    let data = home.join("grown-data");
    import(orrery, &tree, &data, home)?;
    let file = tree::only_file(&tree.claude)?;
    let line = tree::last_line(&file)?;
    let appended = line.len() as u64;
    std::fs::OpenOptions::new().append(true).open(&file)?.write_all(&line)?;
    let trace = home.join("strace.txt");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-e", "trace=read,pread64", "-o"]).arg(&trace).arg(orrery);
    command.args(["import", "--json", "--claude"]).arg(&tree.claude).arg("--data-dir").arg(&data);
    let traced = own(&mut command, home).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !traced.is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace is not installed");
        return Ok(None);
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read: u64 = std::fs::read_to_string(&trace)?
        .lines()
        .filter(|line| line.contains(&name))
        .filter_map(|line| line.rsplit_once(" = ")?.1.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    if read < appended {
        bail!("the line that was appended was not read: {read} of {appended} bytes");
    }
    let ratio = read as f64 / appended as f64;
    Ok(Some(Figure::less("import: bytes read to bytes appended, 50 MB file", ratio, "x", 3.0, 1.1)))
}

/// A program that ran to its end.
struct Run {
    wall: Duration,
    /// User and system time, of threads as well.
    cpu: Duration,
    peak_kb: f64,
    /// What it printed, read as JSON.
    report: Value,
}

fn run(command: &mut Command) -> anyhow::Result<Run> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let pid = child.id();
    let out = child.stdout.take().context("standard output was asked for")?;
    let printed = std::thread::spawn(move || std::io::read_to_string(out));
    let (mut peak_kb, mut cpu) = (0.0_f64, Duration::ZERO);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak_kb = mark.unwrap_or(peak_kb).max(peak_kb);
        cpu = cpu_of(pid).unwrap_or(cpu).max(cpu);
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = began.elapsed();
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().to_string_lossy());
    }
    let printed = printed.join().unwrap_or_else(|_| Ok(String::new()))?;
    Ok(Run { wall, cpu, peak_kb, report: serde_json::from_str(&printed).unwrap_or_default() })
}

/// What the kernel charged the process so far.
fn cpu_of(pid: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // A tick is 10 ms on every Linux that runs this.
    Some(Duration::from_millis(ticks * 10))
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::EPSILON)
}

/// Lives in `home`: nothing of the person's own is read.
fn own<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("TZ", "UTC")
        .env("ORRERY_DATA_DIR", home.join("none"))
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
}
