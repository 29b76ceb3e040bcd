//! `cargo xtask controls`: every assertion of the suite, and whether it fails where it must.
//!
//! Each cell is run twice, as it usually is and with its control. A text that is asserted of the one
//! must not hold of the other: a control that changes nothing has *survived*, and the assertion
//! would notice as little of anything else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use driver::{Collector, Interrupt, Plan, Schedule};
use model::{Catalogue, Cell, Conditions, Controls, Knob, TriedControl};
use scenarios::Scenario;
use suite::{Assertion, Control, ledger};

use crate::args::{ControlsOptions, ListFormat};
use crate::matrix::{self, Planned};
use crate::names::{self, choose};
use crate::stop::Stop;
use crate::{command_line, knobs, say, subjects};

/// Far more than any step of any cell takes.
const STEP_LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn controls(options: &ControlsOptions) -> Result<(), Stop> {
    let workspace = subjects::workspace()?;
    let mut asserted = workspace.allocators;
    asserted.retain(|allocator| suite::ALLOCATORS.contains(&&*allocator.name));
    let allocators = choose("allocator", &options.allocators, &asserted, |a| &a.name)?;
    let scenarios = choose("scenario", &options.scenarios, scenarios::ALL, |s| s.name)?;
    let catalogues = allocators
        .iter()
        .map(|allocator| knobs::with_python(&workspace.knobs, &allocator.name))
        .collect::<Result<Vec<_>, _>>()?;
    let instead = options.control.as_deref();
    let instead = instead.map(|name| control(name, &catalogues)).transpose()?;

    let built = subjects::build_with_planted(&allocators)?;
    let named = allocators.iter().zip(catalogues).zip(built.contestants);
    let benches: Vec<Bench> = named
        .map(|((allocator, knob), executable)| Bench {
            allocator: &allocator.name,
            catalogue: Catalogue { knob },
            executable,
            planted: &built.planted,
        })
        .collect();
    let trials = trials(&benches, &scenarios, instead);

    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let runs: Vec<Planned> = trials.iter().flat_map(|trial| trial.runs.clone()).collect();
    let measured = matrix::measure(&runs, &interrupt).cells;
    if let Some(signal) = interrupt.signal() {
        return Err(Stop::Interrupted(signal)); // of the rest nothing is known
    }
    matrix::all_measured(&measured)?;
    let mut measured = measured.iter();
    let tried = trials.iter().flat_map(|trial| {
        let runs: Vec<&Cell> = measured.by_ref().take(trial.runs.len()).collect();
        trial.judge(&runs)
    });
    show(options.format, tried.collect())
}

/// What the user wants as the control of every cell.
///
/// # Errors
/// [`Stop::BadInput`] for what is neither a knob of a chosen allocator nor a fault.
fn control<'a>(name: &'a str, catalogues: &[Vec<knobs::Documented>]) -> Result<Control<'a>, Stop> {
    if suite::FAULTS.contains(&name) {
        return Ok(Control::Fault(name));
    }
    let knobs = catalogues.iter().flatten().map(|knob| knob.name.as_str());
    let mut valid = vec![Knob::DEFAULT];
    for knob in knobs {
        if !valid.contains(&knob) {
            valid.push(knob);
        }
    }
    match valid.contains(&name) {
        true => Ok(Control::Knob(name)),
        false => {
            valid.extend(suite::FAULTS);
            Err(Stop::BadInput(names::unknown("control", name, &valid)))
        }
    }
}

/// An allocator's executable and its knobs, and the subject with planted faults.
struct Bench<'a> {
    allocator: &'a str,
    catalogue: Catalogue,
    executable: PathBuf,
    planted: &'a Path,
}

/// A cell, and the runs of its control: as it usually is, and as it is not to be. Where both are of
/// the subject with planted faults, the allocator's own run follows: only that has its whole account.
struct Trial<'a> {
    cell: suite::Cell,
    control: Control<'a>,
    /// Whether that is the user's, and not the cell's own: no word about the ledger then.
    instead: bool,
    runs: Vec<Planned>,
}

/// One for each cell of the suite that was chosen. A knob is turned on the allocators that have it.
fn trials<'a>(
    benches: &[Bench],
    scenarios: &[&Scenario],
    instead: Option<Control<'a>>,
) -> Vec<Trial<'a>> {
    let trial = |cell: suite::Cell| {
        let bench = benches.iter().find(|b| b.allocator == cell.allocator)?;
        let scenario = scenarios.iter().find(|s| s.name == cell.scenario)?;
        let control = instead.unwrap_or(cell.control);
        let pair = cell.pair(control, |name| bench.catalogue.find(name))?;
        let planned = |subject: &Path, knob: Knob| Planned {
            allocator: bench.allocator.to_owned(),
            chosen: None,
            knob: knob.clone(),
            unfit: None,
            plan: Plan {
                subject: subject.to_owned(),
                arguments: Vec::new(),
                scenario: scenario.name.to_owned(),
                size: scenario.default_size,
                seed: 1,
                python: cell.python.map(str::to_owned),
                collector: match cell.python {
                    Some(_) => Collector::Full,
                    None => Collector::None,
                },
                rounds: Schedule::Verdict.default_rounds(),
                schedule: Schedule::Verdict,
                knob,
                conditions: Conditions::Lab,
                step_limit: STEP_LIMIT,
            },
        };
        let own = &bench.executable;
        let runs = match pair.planted {
            false => vec![planned(own, pair.usual), planned(own, pair.turned)],
            true => vec![
                planned(bench.planted, pair.usual),
                planned(bench.planted, pair.turned),
                planned(own, bench.catalogue.find(cell.knob)?),
            ],
        };
        Some(Trial {
            cell,
            control,
            instead: instead.is_some(),
            runs,
        })
    };
    suite::cells().into_iter().filter_map(trial).collect()
}

impl Trial<'_> {
    /// Whether each assertion about the usual run fails of the other, and that about the ledgers
    /// of an account that keeps something back.
    fn judge(&self, runs: &[&Cell]) -> Vec<TriedControl> {
        let texts = Assertion::ALL.map(|assertion| {
            let change = assertion.change(&runs[0].checkpoints, &runs[1].checkpoints);
            self.tried(assertion.name(), self.control.name(), change)
        });
        let own = runs.get(2).unwrap_or(&runs[0]);
        let asserted = !self.instead && oracle::unexplained(&own.checkpoints).is_some();
        let ledger = asserted.then(|| {
            let change = ledger::change(&own.parts, &own.checkpoints);
            self.tried(ledger::LEDGER, ledger::FALSE_ACCOUNT, change)
        });
        texts.into_iter().chain(ledger).collect()
    }

    fn tried(&self, assertion: &str, control: &str, change: Option<String>) -> TriedControl {
        TriedControl {
            allocator: self.cell.allocator.to_owned(),
            scenario: self.cell.scenario.to_owned(),
            python: self.cell.python.map(str::to_owned),
            knob: self.cell.knob.to_owned(),
            assertion: assertion.to_owned(),
            control: control.to_owned(),
            survived: change.is_none(),
            change,
        }
    }
}

/// Prints the outcome.
///
/// # Errors
/// [`Stop::Failed`] where a control has survived.
fn show(format: ListFormat, controls: Vec<TriedControl>) -> Result<(), Stop> {
    let survived = controls.iter().filter(|tried| tried.survived).count();
    let document = Controls {
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        controls,
        survived,
    };
    match format {
        ListFormat::Table => say::screen(&report::controls(&document, say::width())),
        ListFormat::Json => say::json(&document),
    }?;
    match survived {
        0 => Ok(()),
        many => Err(Stop::Failed(format!(
            "{many} of {} assertions held where they should have failed",
            document.controls.len()
        ))),
    }
}
