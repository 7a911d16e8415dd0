//! Settings that make no sense, each with the value it is about and what to write instead.

use std::collections::BTreeSet;

use orrery_types::{Settings, SinkKind, SinkSettings};

use crate::sinks::template;
use crate::zone::{self, Zone};

/// Something wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Path of the value: `budgets.2.limit_usd`, `zone`.
    pub key: String,
    /// One sentence: what is wrong and what to write.
    pub words: String,
}

/// Everything wrong with what alerts are set to. `filter` says why a filter cannot be read.
pub fn wrongs(settings: &Settings, filter: impl Fn(&str) -> Option<String>) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    let mut say = |key: &str, words: String| wrongs.push(Wrong { key: key.to_owned(), words });
    if let Err(words) = Zone::of(&settings.zone) {
        say("zone", words);
    }
    if let Some(usd) = settings.budget_daily_usd
        && let Some(words) = limit(usd)
    {
        say("budget_daily_usd", words);
    }
    let mut ids = BTreeSet::from(["daily"]);
    for (at, budget) in settings.budgets.iter().enumerate() {
        if let Some(words) = limit(budget.limit_usd) {
            say(&format!("budgets.{at}.limit_usd"), words);
        }
        if budget.soft_percent > 100 {
            say(&format!("budgets.{at}.soft_percent"), "the soft limit is at most 100 % of the hard one".to_owned());
        }
        if let Some(words) = id(&budget.id, &mut ids) {
            say(&format!("budgets.{at}.id"), words);
        }
    }
    for (key, time) in [("quiet.from", &settings.quiet.from), ("quiet.to", &settings.quiet.to)] {
        if let Err(words) = zone::time_of_day(time) {
            say(key, words);
        }
    }
    let mut ids = BTreeSet::from(["desktop"]);
    for (at, sink) in settings.sinks.iter().enumerate() {
        if let Some(words) = id(&sink.id, &mut ids) {
            say(&format!("sinks.{at}.id"), words);
        }
        if let Some((key, words)) = sink_wrong(sink) {
            say(&format!("sinks.{at}.{key}"), words);
        }
    }
    let unknown = |named: &[String]| named.iter().find(|id| !ids.contains(id.as_str())).cloned();
    for (name, digest) in [("daily", &settings.digests.daily), ("weekly", &settings.digests.weekly)] {
        if let Err(words) = zone::cron(&digest.at) {
            say(&format!("digests.{name}.at"), words);
        }
        if let Some(id) = unknown(&digest.sinks) {
            say(&format!("digests.{name}.sinks"), format!("there is no sink '{id}'"));
        }
    }
    for (rule, patch) in &settings.rules {
        if let Some(words) = patch.filter.as_deref().filter(|text| !text.trim().is_empty()).and_then(&filter) {
            say(&format!("rules.{rule}.filter"), words);
        }
        if let Some(id) = patch.sinks.as_deref().and_then(unknown) {
            say(&format!("rules.{rule}.sinks"), format!("there is no sink '{id}'"));
        }
        if patch.percent.is_some_and(|percent| percent > 100) {
            say(&format!("rules.{rule}.percent"), "at most 100 percent".to_owned());
        }
        if patch.minutes.is_some_and(|minutes| minutes > 7 * 24 * 60) {
            say(&format!("rules.{rule}.minutes"), "at most 10,080 minutes, which is a week".to_owned());
        }
        if patch.factor.is_some_and(|factor| !(1.0..=1000.0).contains(&factor)) {
            say(&format!("rules.{rule}.factor"), "a number from 1 to 1,000".to_owned());
        }
    }
    wrongs
}

fn limit(usd: f64) -> Option<String> {
    let good = usd.is_finite() && usd > 0.0 && usd <= 1_000_000.0;
    (!good)
        .then(|| format!("a budget is above 0 and at most 1,000,000 dollars, and {usd} is not; leave it out for none"))
}

fn id<'a>(id: &'a str, known: &mut BTreeSet<&'a str>) -> Option<String> {
    let good = !id.is_empty()
        && id.len() <= 40
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if !good {
        return Some(format!("'{id}' is no id; use up to 40 small letters, digits, - and _"));
    }
    (!known.insert(id)).then(|| format!("'{id}' is there twice"))
}

/// What is wrong with a sink: the field, and words.
pub fn sink_wrong(sink: &SinkSettings) -> Option<(&'static str, String)> {
    let web =
        |text: &str| url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let mailbox = |text: &str| text.parse::<lettre::message::Mailbox>().is_ok();
    match sink.kind {
        SinkKind::Desktop => Some(("kind", "the desktop is always there and needs no sink of its own".to_owned())),
        SinkKind::Slack => None,
        SinkKind::Webhook if !web(&sink.url) => {
            Some(("url", format!("'{}' is no web address; write one that starts with https://", sink.url)))
        }
        SinkKind::Webhook => template::check(&sink.template).err().map(|words| ("template", words)),
        SinkKind::Ntfy if !sink.url.is_empty() && !web(&sink.url) => {
            Some(("url", format!("'{}' is no web address; leave it empty for https://ntfy.sh", sink.url)))
        }
        SinkKind::Ntfy
            if sink.topic.is_empty()
                || !sink.topic.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) =>
        {
            Some(("topic", "a topic has letters, digits, - and _".to_owned()))
        }
        SinkKind::Ntfy => None,
        SinkKind::Email if sink.host.trim().is_empty() => {
            Some(("host", "the mail server's name is missing, like smtp.example.org".to_owned()))
        }
        SinkKind::Email if !mailbox(&sink.from) => {
            Some(("from", format!("'{}' is no mail address to send from", sink.from)))
        }
        SinkKind::Email => match sink.to.iter().find(|to| !mailbox(to)) {
            Some(bad) => Some(("to", format!("'{bad}' is no mail address"))),
            None if sink.to.is_empty() => Some(("to", "a mail address to send to is missing".to_owned())),
            None => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::{Budget, RulePatch};

    use super::*;

    fn keys(settings: &Settings) -> Vec<String> {
        wrongs(settings, |_| None).into_iter().map(|wrong| wrong.key).collect()
    }

    #[test]
    fn defaults_are_right() {
        assert_eq!(keys(&Settings::default()), [""; 0]);
    }

    #[test]
    fn each_wrong_value_is_named_by_its_place() {
        let mut settings = Settings { zone: "Mars".to_owned(), budget_daily_usd: Some(0.0), ..Settings::default() };
        settings.budgets = vec![
            Budget { id: "a".to_owned(), limit_usd: -4.0, ..Budget::default() },
            Budget { id: "a".to_owned(), limit_usd: 4.0, soft_percent: 120, ..Budget::default() },
        ];
        settings.quiet.to = "7".to_owned();
        settings.digests.weekly.at = "on Mondays".to_owned();
        settings.digests.weekly.sinks = vec!["pager".to_owned()];
        settings.sinks =
            vec![SinkSettings { id: "hook".to_owned(), kind: SinkKind::Webhook, ..SinkSettings::default() }];
        settings.rules.insert("loop".to_owned(), RulePatch { percent: Some(101), ..RulePatch::default() });
        let expected = [
            "zone",
            "budget_daily_usd",
            "budgets.0.limit_usd",
            "budgets.1.soft_percent",
            "budgets.1.id",
            "quiet.to",
            "sinks.0.url",
            "digests.weekly.at",
            "digests.weekly.sinks",
            "rules.loop.percent",
        ];
        assert_eq!(keys(&settings), expected);
    }
}
