//! `cargo xtask curve`: one scenario, its object dropped, and then nothing but the clock: what is kept
//! from a millisecond to an hour later, idle and active.

use driver::{Interrupt, Schedule};
use model::{Curves, Host, Mode, SCHEMA_VERSION};

use crate::args::{CurveOptions, ListFormat};
use crate::contestants::{Contestant, Contestants};
use crate::matrix::{self, Planned};
use crate::names::choose;
use crate::stop::Stop;
use crate::{command_line, python, say, subjects};

pub(crate) fn curve(options: &CurveOptions) -> Result<(), Stop> {
    // Everything that can be wrong with the input is found before anything is built or spawned.
    let workspace = subjects::workspace()?;
    let interpreters = &options.interpreters.interpreters;
    let contestants = Contestants::choose(&options.contestants, interpreters, &workspace)?;
    let name = std::slice::from_ref(&options.scenario);
    let scenario = match interpreters.is_empty() {
        true => choose("scenario", name, scenarios::ALL, |s| s.name)?[0],
        false => python::chosen_scenarios(name)?[0],
    };
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    matrix::refuse_what_does_not_fit(&options.cells, &[scenario], &host)?;

    contestants.refuse_what_fits_none(&[scenario])?;
    let live = contestants.interpreters();
    let experiment = python::experiment(&options.cells, scenario, live)?;
    contestants.say_what_the_lab_cannot_show(&options.cells);
    let contestants = contestants.build()?;
    let times_ms = driver::curve_times(options.clock_time.as_millis() as u64);
    // A run for each mode: traffic that has been is not undone, and each curve begins at a drop.
    let (modes, planned): (Vec<Mode>, Vec<Planned>) = Mode::ALL
        .into_iter()
        .flat_map(|mode| {
            let times_ms = times_ms.clone();
            let schedule = Schedule::Curve { mode, times_ms };
            let plans = |c: &Contestant| c.plans(&options.cells, experiment, &schedule);
            let plans: Vec<Planned> = contestants.iter().flat_map(plans).collect();
            plans.into_iter().map(move |planned| (mode, planned))
        })
        .unzip();
    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let measured = matrix::measure(&planned, &interrupt);
    let all_measured = matrix::all_measured(&measured.cells);
    let curves = Curves {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host: Host {
            lab_conditions: measured.lab_conditions(),
            ..host
        },
        times_ms: [0].into_iter().chain(times_ms).collect(),
        curves: measured
            .cells
            .into_iter()
            .zip(modes)
            .map(|(cell, mode)| oracle::curve(cell, mode))
            .collect(),
        interrupted: interrupt.signal().is_some(),
        timings: measured.timings,
    };

    match options.format {
        ListFormat::Table => say::screen(&report::curves(&curves, say::width())),
        ListFormat::Json => say::json(&curves),
    }?;
    say::aside(&report::real_time(&curves));
    match interrupt.signal() {
        Some(signal) => Err(Stop::Interrupted(signal)),
        None => all_measured,
    }
}
