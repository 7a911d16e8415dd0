//! Rules: when Orrery speaks up. Built-in ones have defaults that a person changes value by value; a person may add more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Settings, Urgency};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    Budget,
    Forecast,
    LongTask,
    AgentError,
    Loop,
    NeedsYou,
    Completed,
    Silent,
    ContextFull,
    CostSpike,
    HooksSilent,
    /// Counts events that its filter picks. The kind of every rule that a person adds.
    #[default]
    Match,
}

/// A rule with the values in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub kind: RuleKind,
    pub name: String,
    pub on: bool,
    /// In the search language. Empty: everything.
    pub filter: String,
    /// The window or the wait, by kind. 0 where the kind has none.
    pub minutes: u32,
    pub times: u32,
    pub percent: u32,
    pub factor: f64,
    pub urgency: Urgency,
    /// The same rule does not speak of the same session again within this time. 0: always.
    pub cooldown_minutes: u32,
    /// Ids of sinks. Empty: all that are on.
    pub sinks: Vec<String>,
}

/// What a person changed of a rule: `[rules.ID]` of the file. Empty fields keep the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RulePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sinks: Option<Vec<String>>,
}

impl RuleKind {
    /// Every built-in rule, in the order of the page.
    pub const BUILT_IN: [RuleKind; 11] = [
        RuleKind::NeedsYou,
        RuleKind::Budget,
        RuleKind::Forecast,
        RuleKind::LongTask,
        RuleKind::Completed,
        RuleKind::AgentError,
        RuleKind::Loop,
        RuleKind::Silent,
        RuleKind::ContextFull,
        RuleKind::CostSpike,
        RuleKind::HooksSilent,
    ];

    /// Id of the built-in rule, and its table in the file: `long_task`.
    pub fn id(self) -> &'static str {
        match self {
            RuleKind::Budget => "budget",
            RuleKind::Forecast => "forecast",
            RuleKind::LongTask => "long_task",
            RuleKind::AgentError => "agent_error",
            RuleKind::Loop => "loop",
            RuleKind::NeedsYou => "needs_you",
            RuleKind::Completed => "completed",
            RuleKind::Silent => "silent",
            RuleKind::ContextFull => "context_full",
            RuleKind::CostSpike => "cost_spike",
            RuleKind::HooksSilent => "hooks_silent",
            RuleKind::Match => "match",
        }
    }

    fn name(self) -> &'static str {
        match self {
            RuleKind::Budget => "Budget",
            RuleKind::Forecast => "Forecast",
            RuleKind::LongTask => "Long task",
            RuleKind::AgentError => "Agent error",
            RuleKind::Loop => "Goes in circles",
            RuleKind::NeedsYou => "Needs you",
            RuleKind::Completed => "Task done",
            RuleKind::Silent => "Silent while running",
            RuleKind::ContextFull => "Context nearly full",
            RuleKind::CostSpike => "Cost spike",
            RuleKind::HooksSilent => "Hooks gone silent",
            RuleKind::Match => "Matching events",
        }
    }

    /// What the rule of this kind is like before a person changed it.
    pub fn default_rule(self) -> Rule {
        let rule =
            Rule { id: self.id().to_owned(), kind: self, name: self.name().to_owned(), on: true, ..Rule::default() };
        match self {
            RuleKind::Budget => Rule { urgency: Urgency::Critical, ..rule },
            RuleKind::Forecast => Rule { percent: 25, ..rule },
            RuleKind::LongTask => Rule { minutes: 5, ..rule },
            RuleKind::AgentError | RuleKind::NeedsYou => rule,
            RuleKind::Loop => Rule { times: 5, ..rule },
            RuleKind::Completed => Rule { minutes: 2, urgency: Urgency::Low, ..rule },
            RuleKind::Silent => Rule { minutes: 15, ..rule },
            RuleKind::ContextFull => Rule { percent: 85, ..rule },
            RuleKind::CostSpike => Rule { factor: 3.0, ..rule },
            RuleKind::HooksSilent => Rule { minutes: 10, ..rule },
            RuleKind::Match => Rule { times: 1, minutes: 10, cooldown_minutes: 10, ..rule },
        }
    }
}

impl Rule {
    /// The rule with what the patch names.
    pub fn patched(self, patch: &RulePatch) -> Rule {
        let patch = patch.clone();
        Rule {
            id: self.id,
            kind: self.kind,
            name: patch.name.unwrap_or(self.name),
            on: patch.on.unwrap_or(self.on),
            filter: patch.filter.unwrap_or(self.filter),
            minutes: patch.minutes.unwrap_or(self.minutes),
            times: patch.times.unwrap_or(self.times),
            percent: patch.percent.unwrap_or(self.percent),
            factor: patch.factor.unwrap_or(self.factor),
            urgency: patch.urgency.unwrap_or(self.urgency),
            cooldown_minutes: patch.cooldown_minutes.unwrap_or(self.cooldown_minutes),
            sinks: patch.sinks.unwrap_or(self.sinks),
        }
    }
}

/// All rules in force: the built-in ones in their order, then the person's own by id.
///
/// `long_task_minutes` of the settings is the wait of the long-task rule, and 0 switches it off.
pub fn rules(settings: &Settings) -> Vec<Rule> {
    let patches: &BTreeMap<String, RulePatch> = &settings.rules;
    let built_in = RuleKind::BUILT_IN.into_iter().map(|kind| {
        let mut rule = kind.default_rule();
        if kind == RuleKind::LongTask {
            rule.minutes = settings.long_task_minutes;
        }
        if let Some(patch) = patches.get(kind.id()) {
            rule = rule.patched(patch);
        }
        if kind == RuleKind::LongTask {
            rule.on &= rule.minutes > 0;
        }
        rule
    });
    let own = patches.iter().filter(|(id, _)| RuleKind::BUILT_IN.iter().all(|kind| kind.id() != *id));
    let own = own.map(|(id, patch)| {
        let start = RuleKind::Match.default_rule();
        Rule { id: id.clone(), name: id.clone(), ..start }.patched(patch)
    });
    built_in.chain(own).collect()
}
