//! `cargo xtask python`: what the model of CPython predicts, beside what the interpreters do that are
//! found here, and where the model has every byte.
//!
//! A prediction is the model's cell over the C library's malloc, which needs no model; a measurement is
//! the interpreter's cell, by the same schedule, under the same conditions as far as it allows them.

use driver::{Interrupt, Schedule};
use model::{Cell, Host, Knob, Predictions, SCHEMA_VERSION};
use scenarios::Scenario;
use scenarios::python::Build;

use crate::args::{CellOptions, PythonOptions, TextFormat};
use crate::contestants::Contestant;
use crate::interpreters::{self, Named};
use crate::matrix::{self, Planned, Subject};
use crate::python::{self, Experiment};
use crate::stop::Stop;
use crate::{command_line, say, subjects};

/// What lies below the model.
const BELOW: &str = "system";

/// The scenario that is measured where none is named: the one of the FAQ.
const OF_THE_FAQ: &str = "python-int-list";

/// The Python that the FAQ speaks of.
const PYTHON_OF_THE_FAQ: &str = "2.4-32";

pub(crate) fn predict(options: &PythonOptions) -> Result<(), Stop> {
    let workspace = subjects::workspace()?;
    let scenarios = match options.scenarios.is_empty() {
        true => python::chosen_scenarios(&[OF_THE_FAQ.to_owned()])?,
        false => python::chosen_scenarios(&options.scenarios)?,
    };
    let live = match &options.interpreters[..] {
        [] => interpreters::found(),
        named => interpreters::chosen(named)?,
    };
    let builds = builds(&options.cells, &live)?;
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    matrix::refuse_what_does_not_fit(&options.cells, &scenarios, &host)?;
    python::refuse_what_is_no_int(&options.cells, &scenarios, &builds)?;

    let below = subjects::chosen(&[BELOW.to_owned()], &workspace.allocators)?;
    let executable = subjects::build(&below)?.remove(0);
    let below = Subject::of_allocator(BELOW.to_owned(), executable);
    let trials = trials(&options.cells, &scenarios, &builds, &live, &below);
    let planned: Vec<Planned> = trials.iter().map(|(_, planned)| planned.clone()).collect();
    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let measured = matrix::measure(&planned, &interrupt);
    let who = trials.iter().map(|(who, _)| *who);
    let cells: Vec<(Who, &Cell)> = who.zip(&measured.cells).collect();
    let document = Predictions {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host: Host {
            lab_conditions: measured.lab_conditions(),
            ..host
        },
        rows: rows(&cells),
        waterfalls: models(&cells).map(|(_, c)| oracle::waterfall(c)).collect(),
        unchecked: unchecked(&builds, &live),
        interrupted: interrupt.signal().is_some(),
    };
    match options.format {
        TextFormat::Table => say::screen(&report::predictions(&document, say::width())),
        TextFormat::Markdown => say::result(&report::predictions_in_markdown(&document)),
        TextFormat::Json => say::json(&document),
    }?;
    match interrupt.signal() {
        Some(signal) => Err(Stop::Interrupted(signal)),
        None => matrix::all_measured(&measured.cells).and_then(|()| all_within(&document)),
    }
}

/// Whose cell it is.
#[derive(Clone, Copy)]
enum Who<'a> {
    Model(Build),
    Live(&'a Named),
}

/// Each scenario in each Python of the model, and then in each interpreter.
fn trials<'a>(
    cells: &CellOptions,
    scenarios: &[&Scenario],
    builds: &[Build],
    live: &'a [Named],
    below: &Subject,
) -> Vec<(Who<'a>, Planned)> {
    // The first time shows it all; more often only if the user says so.
    let cells = &CellOptions {
        rounds: cells.rounds.or(Some(1)),
        ..cells.clone()
    };
    let mut trials = Vec::new();
    for scenario in scenarios {
        let of = |build| Experiment {
            scenario,
            python: Some(build),
            modelled: true,
        };
        let plan = |build: &Build| {
            let knob = Knob::default_settings();
            Planned::new(cells, of(*build), below, knob, Schedule::Verdict)
        };
        trials.extend(builds.iter().map(|build| (Who::Model(*build), plan(build))));
        for named in live {
            let contestant = Contestant::live(named, &[], &[]);
            let plans = contestant.plans(cells, of(named.build()), &Schedule::Verdict);
            trials.extend(plans.into_iter().map(|planned| (Who::Live(named), planned)));
        }
    }
    trials
}

/// What is predicted: what the user named, and what there are interpreters of. Where neither says
/// anything, all that the model knows.
fn builds(cells: &CellOptions, live: &[Named]) -> Result<Vec<Build>, Stop> {
    let of_live = live.iter().filter(|named| named.looked.is_ok());
    let of_live: Vec<Build> = of_live.map(Named::build).collect();
    let faq = || PYTHON_OF_THE_FAQ.parse::<Build>().ok();
    let builds: Vec<Build> = match (&cells.pythons[..], &of_live[..]) {
        ([], []) => faq().into_iter().chain(Build::all()).collect(),
        ([], _) => faq().into_iter().chain(of_live).collect(),
        (named, _) => python::chosen(named)?.into_iter().chain(of_live).collect(),
    };
    Ok(python::each_once(builds))
}

fn models<'a>(cells: &[(Who<'a>, &'a Cell)]) -> impl Iterator<Item = (Build, &'a Cell)> {
    cells.iter().filter_map(|(who, cell)| match who {
        Who::Model(build) => Some((*build, *cell)),
        Who::Live(_) => None,
    })
}

/// By scenario: a model of which there is no interpreter, then each interpreter beside its model.
fn rows(cells: &[(Who, &Cell)]) -> Vec<model::Prediction> {
    let mut rows = Vec::new();
    for cells in cells.chunk_by(|a, b| a.1.scenario == b.1.scenario) {
        let live = || {
            cells.iter().filter_map(|(who, cell)| match who {
                Who::Live(named) => Some((*named, *cell)),
                Who::Model(_) => None,
            })
        };
        for (build, predicted) in models(cells) {
            if !live().any(|(named, _)| named.build() == build) {
                rows.extend(oracle::predictions(Some(predicted), None));
            }
        }
        for (named, cell) in live() {
            let looked = named.looked.as_ref().ok();
            let interpreter = looked.map(|i| i.executable.display().to_string());
            let live = oracle::Live {
                interpreter: interpreter.as_deref().unwrap_or(&named.name),
                version: looked.map(|i| i.version.as_str()),
                cell,
            };
            let models = models(cells).filter(|_| looked.is_some());
            let model = { models }.find(|(build, _)| *build == named.build());
            rows.extend(oracle::predictions(
                model.map(|(_, cell)| cell),
                Some(&live),
            ));
        }
    }
    rows
}

/// What the figures say nothing about.
fn unchecked(builds: &[Build], live: &[Named]) -> Vec<String> {
    let is_live = |build: &&Build| {
        live.iter()
            .any(|n| n.looked.is_ok() && n.build() == **build)
    };
    let without: Vec<String> = builds
        .iter()
        .filter(|build| !is_live(build))
        .map(Build::to_string)
        .collect();
    let way_out = "--interpreter takes the path of one";
    let lacking = match without.len() {
        0 => None,
        _ if live.is_empty() => Some(format!(
            "Nothing was checked: there is no CPython from 2.7 on here, neither on the PATH nor under \
             pyenv, and all figures are the model's. {way_out}."
        )),
        _ => Some(format!(
            "Not checked, for there is no interpreter of it here: Python {}. {way_out}.",
            without.join(", ")
        )),
    };
    let unknown = live.iter().filter_map(Named::not_modelled);
    lacking.into_iter().chain(unknown).collect()
}

/// Whether the model was right wherever it could be checked.
///
/// # Errors
/// [`Stop::Failed`] with how many figures are further off than they may be.
fn all_within(document: &Predictions) -> Result<(), Stop> {
    let checked = document.rows.iter().filter_map(|row| row.within);
    let (within, off): (Vec<bool>, Vec<bool>) = checked.partition(|within| *within);
    match off.len() {
        0 => Ok(()),
        off => Err(Stop::Failed(format!(
            "{off} of {} figures are off by more than the model may be",
            within.len() + off
        ))),
    }
}
