//! The command an agent runs at each event: stdin to the server, or to the spool. Exit 0, silent, whatever happens.

fn main() {
    orrery_client::hook::run(&orrery_client::hook::Args::parse(std::env::args_os().skip(1)));
}
