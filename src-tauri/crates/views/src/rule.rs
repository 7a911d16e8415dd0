//! A rule as one plain sentence.

use orrery_types::{Rule, RuleKind};

use crate::format::{duration_ms, plural};

/// "When a task runs longer than 5 m: tell me on Slack, at most every 10 m". `sinks` are the names to say for the rule's
/// sinks; empty stands for everywhere.
pub fn sentence(rule: &Rule, sinks: &[String]) -> String {
    let mut words = format!("When {}", when(rule));
    if !rule.filter.is_empty() && rule.kind != RuleKind::Match {
        words.push_str(&format!(", in sessions matching {}", rule.filter));
    }
    match sinks {
        [] => words.push_str(": tell me"),
        sinks => words.push_str(&format!(": tell me on {}", list(sinks))),
    }
    if rule.cooldown_minutes > 0 {
        words.push_str(&format!(", at most every {}", minutes(rule.cooldown_minutes)));
    }
    words
}

/// The condition alone: "a task runs longer than 5 m".
pub fn when(rule: &Rule) -> String {
    match rule.kind {
        RuleKind::Budget => "a budget reaches its soft or passes its hard limit".to_owned(),
        RuleKind::Forecast => format!(
            "more than {} % of a budget is spent and the rest will not last its time at the present rate",
            rule.percent
        ),
        RuleKind::LongTask => format!("a task runs longer than {}", minutes(rule.minutes)),
        RuleKind::AgentError => "a turn ends with an error of the agent or its API".to_owned(),
        RuleKind::Loop => format!(
            "one call fails {} in a row, or comes back {} with the same result",
            times(rule.times),
            times(rule.times.saturating_mul(2))
        ),
        RuleKind::NeedsYou => "a session asks for permission, asks a question or waits for your next prompt".to_owned(),
        RuleKind::Completed => format!("a task is done that took {} or longer", minutes(rule.minutes)),
        RuleKind::Silent => format!("nothing is heard of a running task for {}", minutes(rule.minutes)),
        RuleKind::ContextFull => format!("{} % of a session's context are used", rule.percent),
        RuleKind::CostSpike => format!("a session costs {} times what is usual in its project", factor(rule.factor)),
        RuleKind::HooksSilent => {
            format!("an agent's transcripts go on and none of its hooks came for {}", minutes(rule.minutes))
        }
        RuleKind::Match => {
            let what = if rule.filter.is_empty() { "of any kind" } else { &rule.filter };
            match rule.times {
                0 | 1 => format!("an event comes: {what}"),
                count => format!("{count} events come within {}: {what}", minutes(rule.minutes)),
            }
        }
    }
}

fn minutes(minutes: u32) -> String {
    let words = duration_ms(i64::from(minutes) * 60_000);
    words.strip_suffix(" 00 s").or_else(|| words.strip_suffix(" 00 m")).unwrap_or(&words).to_owned()
}

fn times(count: u32) -> String {
    plural(u64::from(count), "time")
}

fn factor(factor: f64) -> String {
    let text = format!("{factor:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_reads_as_one_sentence() {
        let said = |kind: RuleKind| sentence(&kind.default_rule(), &[]);
        assert_eq!(said(RuleKind::LongTask), "When a task runs longer than 5 m: tell me");
        assert_eq!(said(RuleKind::ContextFull), "When 85 % of a session's context are used: tell me");
        assert_eq!(said(RuleKind::CostSpike), "When a session costs 3 times what is usual in its project: tell me");
        for kind in RuleKind::BUILT_IN.into_iter().chain([RuleKind::Match]) {
            let said = said(kind);
            assert!(said.starts_with("When ") && said.contains(": tell me") && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn filter_sinks_and_cooldown_are_in_the_sentence() {
        let rule = Rule {
            filter: "project:shop".to_owned(),
            cooldown_minutes: 60,
            minutes: 90,
            ..RuleKind::LongTask.default_rule()
        };
        let sinks = ["Desktop".to_owned(), "Slack".to_owned()];
        let said = "When a task runs longer than 1 h 30 m, in sessions matching project:shop: tell me on Desktop and \
                    Slack, at most every 1 h";
        assert_eq!(sentence(&rule, &sinks), said);
        let own = Rule { filter: "tool:Bash".to_owned(), times: 3, ..RuleKind::Match.default_rule() };
        assert_eq!(when(&own), "3 events come within 10 m: tool:Bash");
    }
}
