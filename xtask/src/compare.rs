//! `cargo xtask compare`: measure every chosen cell, judge it, show the result and keep it.

use driver::{Interrupt, Schedule};
use model::{Comparison, Host, SCHEMA_VERSION};
use scenarios::Scenario;

use crate::args::{CompareOptions, DEFAULT_OUT};
use crate::contestants::Contestants;
use crate::diff::{Baseline, Changed};
use crate::matrix::{self, Planned};
use crate::names::{self, choose};
use crate::result::{self, Files, page};
use crate::stop::Stop;
use crate::{command_line, output, python, say, subjects};

pub(crate) fn compare(options: &CompareOptions) -> Result<(), Stop> {
    // Everything that can be wrong with the input is found before anything is built or spawned.
    let workspace = subjects::workspace()?;
    let interpreters = &options.interpreters.interpreters;
    let contestants = Contestants::choose(&options.contestants, interpreters, &workspace)?;
    let scenarios = match interpreters.is_empty() {
        true => chosen_scenarios(&options.scenarios)?,
        false => python::chosen_scenarios(&options.scenarios)?,
    };
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    matrix::refuse_what_does_not_fit(&options.cells, &scenarios, &host)?;
    contestants.refuse_what_fits_none(&scenarios)?;
    let live = contestants.interpreters();
    let experiments = python::experiments(&options.cells, &scenarios, live)?;
    let baseline = options
        .baseline
        .as_deref()
        .map(Baseline::read)
        .transpose()?;
    let files = Files::prepare(&match &options.out {
        Some(path) => path.clone(),
        None => workspace.root.join(DEFAULT_OUT),
    })?;

    contestants.say_what_the_lab_cannot_show(&options.cells);
    let contestants = contestants.build()?;
    let planned: Vec<Planned> = experiments
        .iter()
        .flat_map(|experiment| {
            let contestants = contestants.iter();
            contestants.flat_map(|c| c.plans(&options.cells, *experiment, &Schedule::Verdict))
        })
        .collect();
    let planned = matrix::part(planned, options.shard);
    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let measured = matrix::measure(&planned, &interrupt);
    let comparison = Comparison {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host: Host {
            lab_conditions: measured.lab_conditions(),
            ..host
        },
        machines: Vec::new(),
        shard: options.shard,
        cells: measured.cells,
        interrupted: interrupt.signal().is_some(),
        timings: measured.timings,
    };

    let changed = baseline.as_ref().map(|b| b.changed(&comparison));
    let page = changed
        .as_ref()
        .map_or_else(|| page(&comparison), Changed::page);
    let files = match comparison.interrupted {
        true => files.sparing_others(),
        false => files,
    };
    let written = files.write(&comparison, &page)?;
    let unchanged = match &changed {
        Some(changed) => changed.say(options.format),
        None => result::show(&comparison, options.format),
    };
    if options.timings {
        say::fault(&report::timings(&comparison.timings));
    }
    output::say_where(&written, comparison.interrupted);
    match interrupt.signal() {
        Some(signal) => Err(Stop::Interrupted(signal)),
        None => matrix::all_measured(&comparison.cells).and(unchanged),
    }
}

/// The core ones where none is named, every one for `all`.
fn chosen_scenarios(chosen: &[String]) -> Result<Vec<&'static Scenario>, Stop> {
    if chosen.iter().any(|name| name == names::ALL) {
        return Ok(scenarios::ALL.iter().collect());
    }
    match chosen {
        [] => Ok(scenarios::CORE.iter().collect()),
        _ => choose("scenario", chosen, scenarios::ALL, |s| s.name),
    }
}
