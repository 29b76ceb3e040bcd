//! `cargo xtask bench`: every chosen workload under every contestant, a process each, in rounds.

use driver::Interrupt;
use model::{Benchmark, SCHEMA_VERSION, Standing};
use workloads::Workload;

use crate::args::{BenchOptions, DEFAULT_BENCH_OUT, ListFormat};
use crate::contestants::{Contestants, Racer};
use crate::names::{self, choose};
use crate::output::{self, Output};
use crate::race::Course;
use crate::stop::Stop;
use crate::{command_line, say, subjects};

pub(crate) fn bench(options: &BenchOptions) -> Result<(), Stop> {
    // Everything that can be wrong with the input is found before anything is built or spawned.
    let workspace = subjects::workspace()?;
    let contestants = Contestants::choose(&options.contestants, &[], &workspace)?;
    contestants.refuse_habits()?;
    contestants.say_what_the_environment_turns();
    let workloads = chosen_workloads(&options.workloads)?;
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    let output = Output::prepare(&match &options.out {
        Some(path) => path.clone(),
        None => workspace.root.join(DEFAULT_BENCH_OUT),
    })?;

    let course = Course {
        racers: contestants.build_racers()?,
        counting: subjects::build_counting()?,
        rounds: options.rounds,
        limit: options.step_limit,
    };
    let mut standings = course.racers.iter().map(Racer::standing);
    if !standings.any(|standing| standing == Standing::Peer) {
        say::fault(&"there is no peer among these to be compared with: the ratios stay empty");
    }
    let huge_pages = host.huge_pages.clone();
    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let workloads = course.run(&workloads, &interrupt);
    let benchmark = Benchmark {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host,
        rounds: options.rounds,
        geomean_to_best_peer: oracle::geomeans(&workloads),
        workloads,
        interrupted: interrupt.signal().is_some(),
    };

    let output = match benchmark.interrupted {
        true => output.sparing_another(),
        false => output,
    };
    let written = output.write(&say::spelled(&benchmark))?;
    match options.format {
        ListFormat::Table => say::screen(&report::benchmark(&benchmark, say::width())),
        ListFormat::Json => say::json(&benchmark),
    }?;
    output::say_where(&written, benchmark.interrupted);
    say_if_the_machine_has_changed(huge_pages.as_deref());
    match interrupt.signal() {
        Some(signal) => Err(Stop::Interrupted(signal)),
        None => all_measured(&benchmark),
    }
}

/// Huge pages decide much, and anybody may turn them on and off.
fn say_if_the_machine_has_changed(huge_pages: Option<&str>) {
    let now = probe::host().ok().and_then(|host| host.huge_pages);
    if let (Some(before), Some(now)) = (huge_pages, &now)
        && before != now
    {
        say::fault(&format_args!(
            "huge pages were {before} when this began and are {now} now: run it again"
        ));
    }
}

/// Every one where none is named, or for `all`.
fn chosen_workloads(chosen: &[String]) -> Result<Vec<&'static Workload>, Stop> {
    match chosen.iter().any(|name| name == names::ALL) {
        true => Ok(workloads::ALL.iter().collect()),
        false => choose("workload", chosen, workloads::ALL, |w| w.name),
    }
}

/// # Errors
/// [`Stop::Failed`] with how many cells were not measured.
fn all_measured(benchmark: &Benchmark) -> Result<(), Stop> {
    let cells = || benchmark.workloads.iter().flat_map(|w| &w.contestants);
    match cells().filter(|cell| cell.failure.is_some()).count() {
        0 => Ok(()),
        failed => Err(Stop::Failed(format!(
            "{failed} of {} cells failed",
            cells().count()
        ))),
    }
}
