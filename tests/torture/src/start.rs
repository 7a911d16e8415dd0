//! Two servers at once, a port that is taken, a data directory that cannot be written.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use orrery_bench::figure::Figure;

use crate::damage::output;
use crate::mount::Mount;
use crate::victim::{self, Victim};
use crate::{Plan, none, proof, told};

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let mut figures = twice(plan)?;
    figures.extend(taken(plan)?);
    figures.extend(read_only(plan)?);
    Ok(figures)
}

/// Whoever comes second says who serves, and writes nothing.
fn twice(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let first = Victim::start(plan, &data)?;
    let mut wire = first.wire()?;
    let (mut silent, mut acked) = (0, Vec::new());
    for number in 0..plan.of(5, 50) {
        let name = format!("t-{number}");
        acked.extend(proof::post(&mut wire, "twice", &name, number)?.map(|seq| (name, seq)));
        let (command, words) = victim::command(plan, &data)?;
        let (code, _) = output(command)?;
        let said = fs::read_to_string(words)?;
        let is_clear = said.contains(&format!("127.0.0.1:{}", first.port)) && code == Some(1);
        silent += usize::from(!is_clear);
    }
    let (lost, doubled) = proof::lost_and_doubled(&acked, &proof::stored(&mut wire)?);
    first.terminate()?;
    Ok(vec![
        none("two at once: second one did not say who serves", silent),
        none("two at once: acknowledged and lost, or doubled", lost + doubled),
    ])
}

/// The next free port, and a word about it.
fn taken(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port();
    let data = scratch.path().join("data");
    let (command, words) = victim::command_at(plan, &data, port)?;
    let Ok(victim) = Victim::spawn(command, words) else {
        return Ok(vec![none("port taken: did not start", 1)]);
    };
    let moved = victim.port != port && fs::read_to_string(data.join("port"))?.trim() == victim.port.to_string();
    let said = victim.words().contains(&format!("port {port} is taken"));
    let mut wire = victim.wire()?;
    let stored = proof::post(&mut wire, "s", "p", 1)?.is_some();
    let problems = wire.read("/api/v1/problems")?;
    let told_in_app = problems.as_array().is_some_and(|all| all.iter().any(|one| one["code"] == "port_taken"));
    victim.terminate()?;
    Ok(vec![none(
        "port taken: not moved, not said or not serving",
        usize::from(!(moved && said && stored && told_in_app)),
    )])
}

fn read_only(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let home = scratch.path().join("home");
    let Some(disk) = Mount::tmpfs(&home, "size=8m")? else {
        return Ok(vec![told("read-only home: SKIPPED, needs a mount", 0.0, "")]);
    };
    let data = home.join("data");
    fs::create_dir(&data)?;
    disk.forbid_writing()?;
    let mut command = Command::new(plan.program("orrery"));
    victim::clean(&mut command).args(["serve", "--port", "0", "--no-watch", "--no-open", "--data-dir"]).arg(&data);
    command.env("HOME", &home).env("ORRERY_CONFIG_DIR", home.join("config"));
    let (code, said) = output(command)?;
    let names_it = said.contains(&data.display().to_string()) && !said.contains("panicked");
    Ok(vec![none("read-only home: no clear refusal", usize::from(code != Some(1) || !names_it))])
}
