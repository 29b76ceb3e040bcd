//! `cargo xtask compare`: measure every chosen cell, judge it, show the result and keep it.

use std::path::PathBuf;

use driver::{Interrupt, Plan, Run};
use model::{Cell, Comparison, Host, Knob, LabCondition, SCHEMA_VERSION, Status, Timings, Upheld};
use scenarios::Scenario;

use crate::args::{CompareOptions, Conditions, DEFAULT_OUT, Format};
use crate::names::choose;
use crate::output::Output;
use crate::progress::Progress;
use crate::say;
use crate::stop::{Stop, cannot};
use crate::subjects;

pub(crate) fn compare(options: &CompareOptions) -> Result<(), Stop> {
    // Everything that can be wrong with the input is found before anything is built or spawned.
    let workspace = subjects::workspace()?;
    let allocators = choose(
        "allocator",
        &options.allocators,
        &workspace.allocators,
        |a| &a.name,
    )?;
    let scenarios = choose("scenario", &options.scenarios, scenarios::ALL, |s| s.name)?;
    for path in &options.subjects {
        if !path.is_file() {
            return Err(Stop::BadInput(cannot(
                "run",
                path,
                &"there is no such file",
            )));
        }
    }
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    refuse_what_does_not_fit(options, &scenarios, &host)?;
    let output = Output::prepare(&match &options.out {
        Some(path) => path.clone(),
        None => workspace.root.join(DEFAULT_OUT),
    })?;

    let executables = subjects::build(&allocators)?;
    let named = allocators.iter().map(|a| a.name.clone()).zip(executables);
    let own = options.subjects.iter().map(|path| {
        // A bare name would be looked for along PATH.
        let executable = std::path::absolute(path).unwrap_or(path.clone());
        (file_name(path), executable)
    });
    let contestants: Vec<Contestant> = named
        .chain(own)
        .map(|(name, executable)| Contestant { name, executable })
        .collect();

    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let comparison = measure(options, host, &scenarios, &contestants, &interrupt);

    let json = serde_json::to_string_pretty(&comparison).expect("a document of plain data") + "\n";
    let written = output.write(&json)?;
    say::result(&match options.format {
        Format::Table => report::terminal(&comparison),
        Format::Markdown => report::markdown(&comparison),
        Format::Json => json,
    })?;
    if options.timings {
        say::aside(&report::timings(&comparison.timings));
    }
    say::aside(&format_args!("full result: {}", written.display()));
    match interrupt.signal() {
        Some(signal) => Err(Stop::Interrupted(signal)),
        None => some_failed(&comparison.cells),
    }
}

/// One executable to measure.
struct Contestant {
    /// The allocator's name as far as it is known before the subject has said hello.
    name: String,
    executable: PathBuf,
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Measures and judges every cell, until the end or an interruption.
fn measure(
    options: &CompareOptions,
    host: Host,
    scenarios: &[&Scenario],
    contestants: &[Contestant],
    interrupt: &Interrupt,
) -> Comparison {
    let mut comparison = Comparison {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host,
        cells: Vec::new(),
        interrupted: false,
        timings: Timings::default(),
    };
    let mut upheld = Vec::new();
    let cells = scenarios.len() * contestants.len();
    say_what_real_time_costs(options, cells);
    let mut progress = Progress::new(cells);
    let pairs = scenarios
        .iter()
        .flat_map(|s| contestants.iter().map(move |c| (*s, c)));
    for (scenario, contestant) in pairs {
        if interrupt.signal().is_some() {
            break;
        }
        progress.begin(scenario.name, &contestant.name);
        let plan = plan(options, scenario, contestant);
        let run = driver::run(&plan, interrupt, |moment, round| {
            progress.arriving(moment, round)
        });
        comparison.timings.add(&run.timings);
        upheld.extend(
            run.introduction
                .as_ref()
                .map(|introduction| introduction.upheld),
        );
        let cell = cell(&plan, contestant, run);
        progress.end(cell.failure.as_deref());
        comparison.cells.push(cell);
    }
    comparison.interrupted = interrupt.signal().is_some();
    if let Conditions::Lab = options.conditions {
        comparison.host.lab_conditions = held_throughout(&upheld);
    }
    comparison
}

fn plan(options: &CompareOptions, scenario: &Scenario, contestant: &Contestant) -> Plan {
    Plan {
        subject: contestant.executable.clone(),
        scenario: scenario.name.to_owned(),
        size: options.size.unwrap_or(scenario.default_size),
        seed: options.seed,
        rounds: options.rounds,
        knob: Knob::default_settings(),
        conditions: match options.conditions {
            Conditions::Lab => model::Conditions::Lab,
            Conditions::Host => model::Conditions::Host,
        },
        step_limit: options.step_limit,
    }
}

/// A run and what it means.
fn cell(plan: &Plan, contestant: &Contestant, run: Run) -> Cell {
    let failure = run.failure.map(|failure| failure.to_string());
    let verdict = match failure {
        None => oracle::judge(&run.checkpoints),
        Some(_) => None,
    };
    let introduction = run.introduction;
    let of =
        |field: fn(&driver::Introduction) -> &String| introduction.as_ref().map(field).cloned();
    Cell {
        allocator: of(|i| &i.allocator).unwrap_or_else(|| contestant.name.clone()),
        allocator_title: of(|i| &i.title),
        allocator_version: of(|i| &i.version),
        scenario: plan.scenario.clone(),
        size: plan.size,
        seed: plan.seed,
        knob: plan.knob.name.clone(),
        conditions: plan.conditions,
        release_call: of(|i| &i.release_call),
        status: match failure {
            None => Status::Measured,
            Some(_) => Status::Failed,
        },
        failure,
        checkpoints: run.checkpoints,
        verdict,
    }
}

/// A condition held if it held in every subject that said hello.
fn held_throughout(upheld: &[Upheld]) -> Vec<LabCondition> {
    let conditions = Upheld::default().named();
    let named = conditions
        .iter()
        .enumerate()
        .map(|(index, (name, _))| LabCondition {
            name: (*name).to_owned(),
            held: !upheld.is_empty() && upheld.iter().all(|upheld| upheld.named()[index].1),
        });
    named.collect()
}

/// An object that cannot fit is not begun: the machine would swap, or the kernel would kill.
fn refuse_what_does_not_fit(
    options: &CompareOptions,
    scenarios: &[&Scenario],
    host: &Host,
) -> Result<(), Stop> {
    for scenario in scenarios {
        let size = options.size.unwrap_or(scenario.default_size);
        let asked_for_kib = (scenario.footprint_bytes)(size) / 1024;
        // Allocators round sizes up, and some keep the first round while the second is built.
        let needed_kib = asked_for_kib.saturating_add(asked_for_kib / 2);
        if needed_kib > host.available_kib {
            return Err(Stop::BadInput(format!(
                "{} of size {size} needs about {:.1} GiB and {:.1} GiB are available: choose a smaller --size",
                scenario.name,
                gibibytes(needed_kib),
                gibibytes(host.available_kib),
            )));
        }
    }
    Ok(())
}

fn gibibytes(kib: u64) -> f64 {
    kib as f64 / (1024.0 * 1024.0)
}

/// Under host conditions a run sleeps; the user should know for how long.
fn say_what_real_time_costs(options: &CompareOptions, cells: usize) {
    if let Conditions::Host = options.conditions {
        let seconds = driver::clock_time() / 1000;
        say::aside(&format_args!(
            "host conditions wait in real time: about {seconds} s a cell, {} min in all",
            (cells as u64 * seconds).div_ceil(60)
        ));
    }
}

fn some_failed(cells: &[Cell]) -> Result<(), Stop> {
    match cells
        .iter()
        .filter(|cell| cell.status == Status::Failed)
        .count()
    {
        0 => Ok(()),
        failed => Err(Stop::Failed(format!(
            "{failed} of {} cells failed",
            cells.len()
        ))),
    }
}

/// What the user typed, to be typed again.
fn command_line() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| {
        let argument = argument.to_string_lossy().into_owned();
        let plain = |c: char| c.is_alphanumeric() || "-_=./:,".contains(c);
        match argument.chars().all(plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    });
    ["cargo".to_owned(), "xtask".to_owned()]
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
