//! The few arguments of the window's program. Everything without a window is the command `orrery`.

use std::ffi::OsString;

use crate::{link, login};

pub const HELP: &str = "\
Orrery's window: what every coding agent does, what it costs and who needs you

Usage: orrery-desktop [--open SESSION | orrery://session/SESSION] [--hidden]

  --open SESSION        open this session, in the running window if there is one
  --hidden              start in the tray; where there is none the window opens
  --install-menu-entry  put Orrery into the desktop's menu, for a build that no package installed
  --remove-menu-entry   take it out again
  --version, --help

Without a display use `orrery serve`, and open the address it prints in a browser.";

/// What the program was started for.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    Window { open: Option<String>, hidden: bool },
    InstallMenuEntry,
    RemoveMenuEntry,
    Help,
    Version,
}

/// Reads the arguments behind the program's name. Fails with words for the person.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Action, String> {
    let (mut open, mut hidden) = (None, false);
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--open" => open = Some(arguments.next().ok_or("--open needs the id of a session")?),
            login::FLAG => hidden = true,
            "--install-menu-entry" => return Ok(Action::InstallMenuEntry),
            "--remove-menu-entry" => return Ok(Action::RemoveMenuEntry),
            "--help" | "-h" => return Ok(Action::Help),
            "--version" | "-V" => return Ok(Action::Version),
            other => match other.strip_prefix("--open=") {
                Some(session_id) => open = Some(session_id.to_owned()),
                None if other.starts_with(link::SCHEME) => open = link::session(other).or(open),
                None => {
                    return Err(format!(
                        "orrery-desktop: unknown argument `{other}`. Commands without a window are `orrery`'s: try `orrery {other}`, \
                         or `orrery-desktop --help`"
                    ));
                }
            },
        }
    }
    Ok(Action::Window { open: open.filter(|session_id| !session_id.is_empty()), hidden })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: Result<Action, ()>) {
        let parsed = parse(arguments.iter().map(OsString::from));
        assert_eq!(parsed.map_err(|_| ()), expected, "{arguments:?}");
    }

    #[test]
    fn arguments_choose_what_to_do() {
        let window = |open: Option<&str>| Ok(Action::Window { open: open.map(str::to_owned), hidden: false });
        check(&[], window(None));
        check(&["--open", "s1"], window(Some("s1")));
        check(&["--open=s1"], window(Some("s1")));
        check(&["--open="], window(None));
        check(&["--open"], Err(()));
        check(&["orrery://session/s1"], window(Some("s1")));
        check(&["orrery://elsewhere"], window(None));
        check(&["--hidden"], Ok(Action::Window { open: None, hidden: true }));
        check(&["serve"], Err(()));
        check(&["--install-menu-entry"], Ok(Action::InstallMenuEntry));
        check(&["--remove-menu-entry"], Ok(Action::RemoveMenuEntry));
        check(&["-V"], Ok(Action::Version));
    }
}
