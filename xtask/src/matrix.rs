//! The cells to measure, and the measuring of them, one after the other.

use std::path::PathBuf;
use std::time::Duration;

use driver::{Collector, Failure, Interrupt, Plan, Run, Schedule};
use model::{Cell, Choice, Host, Knob, LabCondition, Shard, Status, Timings, Upheld};
use scenarios::Scenario;

use crate::args::CellOptions;
use crate::progress::Progress;
use crate::python::Experiment;
use crate::say;
use crate::stop::Stop;

/// A cell to be measured.
#[derive(Clone)]
pub(crate) struct Planned {
    /// The allocator's name, or the file name of the user's own executable.
    pub(crate) allocator: String,
    /// What it was chosen by, if by an option of its own.
    pub(crate) chosen: Option<Choice>,
    /// As it was chosen; the plan's has what the lab sets for this subject as well.
    pub(crate) knob: Knob,
    pub(crate) plan: Plan,
    /// Why it cannot even begin, if so.
    pub(crate) unfit: Option<String>,
}

/// What is started and measured.
#[derive(Clone)]
pub(crate) struct Subject {
    /// What it is called in tables.
    pub(crate) name: String,
    /// What it was chosen by.
    pub(crate) chosen: Choice,
    pub(crate) executable: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// The Python that it is, such as `3.13 64-bit`, if it is one.
    pub(crate) python: Option<String>,
    /// What its environment has under lab conditions besides the knob's variables.
    pub(crate) variables: Vec<(String, String)>,
    /// Why it cannot be started, if so.
    pub(crate) unfit: Option<String>,
}

impl Subject {
    /// That of an allocator, which is a program by itself.
    pub(crate) fn of_allocator(name: String, executable: PathBuf) -> Subject {
        Subject {
            chosen: Choice::Allocator(name.clone()),
            name,
            executable,
            arguments: Vec::new(),
            python: None,
            variables: Vec::new(),
            unfit: None,
        }
    }

    /// A program of the user's own, which came by this path. It is linked with whatever libraries it names, and finds them as it does
    /// elsewhere: the folder where the lab says that the C library is would come first.
    pub(crate) fn of_the_user(path: String, name: String, executable: PathBuf) -> Subject {
        Subject {
            chosen: Choice::Subject(path),
            variables: vec![("LD_LIBRARY_PATH".to_owned(), String::new())],
            ..Subject::of_allocator(name, executable)
        }
    }
}

/// Cells that have been measured, and what all of them share.
#[derive(Default)]
pub(crate) struct Measured {
    /// In the order of the plans; fewer where the user has interrupted.
    pub(crate) cells: Vec<Cell>,
    pub(crate) timings: Timings,
}

impl Planned {
    pub(crate) fn new(
        options: &CellOptions,
        Experiment {
            scenario, python, ..
        }: Experiment,
        subject: &Subject,
        knob: Knob,
        schedule: Schedule,
    ) -> Planned {
        let conditions = options.conditions.into();
        let mut set = knob.clone();
        if conditions == model::Conditions::Lab {
            // The knob's own come last, and count.
            set.variables.splice(0..0, subject.variables.clone());
        }
        let plan = Plan {
            subject: subject.executable.clone(),
            arguments: subject.arguments.clone(),
            scenario: scenario.name.to_owned(),
            size: options.size_of(scenario),
            seed: options.seed,
            python: subject.python.clone().or(python.map(|b| b.to_string())),
            collector: match scenario.is_python() {
                true => Collector::Full,
                false => Collector::None,
            },
            rounds: options.rounds.unwrap_or(schedule.default_rounds()),
            schedule,
            knob: set,
            conditions,
            step_limit: options.step_limit,
        };
        Planned {
            allocator: subject.name.clone(),
            chosen: Some(subject.chosen.clone()),
            knob,
            plan,
            unfit: subject.unfit.clone(),
        }
    }

    /// `int-list under jemalloc with decay-0`; of a curve, `idle` or `active` as well
    fn spelled(&self) -> String {
        let Plan { scenario, knob, .. } = &self.plan;
        let mut text = scenario.clone();
        if let Some(python) = &self.plan.python {
            text += &format!(" in Python {python}");
        }
        text += &format!(" under {}", self.allocator);
        if knob.name != Knob::DEFAULT {
            text += &format!(" with {}", knob.name);
        }
        if let Schedule::Curve { mode, .. } = &self.plan.schedule {
            text += &format!(", {}", mode.name());
        }
        text
    }

    /// A run of this plan and what it means.
    fn cell(&self, run: Run) -> Cell {
        let failure = run.failure.map(|failure| failure.to_string());
        let introduction = run.introduction;
        let parts = introduction
            .as_ref()
            .map_or_else(Vec::new, |i| i.parts.clone());
        let mut checkpoints = run.checkpoints;
        oracle::write_ledgers(&parts, &mut checkpoints);
        let verdict = match failure {
            None => oracle::judge(&checkpoints),
            Some(_) => None,
        };
        let call = introduction
            .as_ref()
            .and_then(|i| i.release_call.as_deref());
        let cause = verdict
            .as_ref()
            .and_then(|verdict| oracle::cause(&parts, call, &checkpoints, verdict));
        let of =
            |field: fn(&driver::Introduction) -> &String| introduction.as_ref().map(field).cloned();
        Cell {
            allocator: self.allocator.clone(),
            allocator_title: of(|i| &i.title),
            allocator_version: of(|i| &i.version),
            scenario: self.plan.scenario.clone(),
            python: self.plan.python.clone(),
            size: self.plan.size,
            seed: self.plan.seed,
            knob: self.knob.name.clone(),
            turned: self.knob.turned(call),
            chosen: self.chosen.clone(),
            machine: None,
            conditions: self.plan.conditions,
            upheld: introduction.as_ref().map(|i| i.upheld),
            release_call: introduction.as_ref().and_then(|i| i.release_call.clone()),
            parts,
            status: match failure {
                None => Status::Measured,
                Some(_) => Status::Failed,
            },
            failure,
            checkpoints,
            verdict,
            cause,
        }
    }
}

/// Measures and judges every cell, until the end or an interruption.
pub(crate) fn measure(planned: &[Planned], interrupt: &Interrupt) -> Measured {
    say_what_real_time_costs(planned);
    let mut measured = Measured::default();
    let mut progress = Progress::new(planned.len());
    for planned in planned {
        if interrupt.signal().is_some() {
            break;
        }
        progress.begin(planned.spelled());
        let arriving = |moment, round| progress.arriving(moment, round);
        let run = match &planned.unfit {
            None => driver::run(&planned.plan, interrupt, arriving),
            Some(why) => Run::not_begun(Failure::Unfit(why.clone())),
        };
        measured.timings.add(&run.timings);
        if let Some(remark) = &run.remark {
            progress.remark(&planned.spelled(), remark);
        }
        let cell = planned.cell(run);
        progress.end(cell.failure.as_deref());
        measured.cells.push(cell);
    }
    measured
}

impl Measured {
    /// Which lab conditions held: those that held in every subject that said hello. None is named
    /// where none was wanted.
    pub(crate) fn lab_conditions(&self) -> Vec<LabCondition> {
        if self
            .cells
            .iter()
            .any(|cell| cell.conditions == model::Conditions::Host)
        {
            return Vec::new();
        }
        let upheld = || self.cells.iter().filter_map(|cell| cell.upheld);
        let conditions = Upheld::default().named().into_iter().enumerate();
        let named = conditions.map(|(index, (name, _))| LabCondition {
            name: name.to_owned(),
            held: upheld().next().is_some() && upheld().all(|u| u.named()[index].1),
        });
        named.collect()
    }
}

/// An object that cannot fit is not begun: the machine would swap, or the kernel would kill.
///
/// # Errors
/// [`Stop::BadInput`] with both figures.
pub(crate) fn refuse_what_does_not_fit(
    options: &CellOptions,
    scenarios: &[&Scenario],
    host: &Host,
) -> Result<(), Stop> {
    for scenario in scenarios {
        let size = options.size_of(scenario);
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
fn say_what_real_time_costs(planned: &[Planned]) {
    let plans = planned.iter().map(|planned| &planned.plan);
    let real = plans.filter(|plan| plan.conditions == model::Conditions::Host);
    let waits: Vec<u64> = real.map(|plan| plan.schedule.clock_ms()).collect();
    if let Some(&longest) = waits.iter().max() {
        let spelled = |ms: u64| humantime::format_duration(Duration::from_millis(ms)).to_string();
        say::aside(&format_args!(
            "host conditions wait in real time: about {} a cell, {} in all",
            spelled(longest),
            spelled(waits.iter().sum()),
        ));
    }
}

/// The cells of this shard, or all of them.
pub(crate) fn part(planned: Vec<Planned>, shard: Option<Shard>) -> Vec<Planned> {
    let is_part = |place| shard.is_none_or(|shard| shard.has(place));
    let cells = planned.into_iter().enumerate();
    let cells = cells.filter(|(place, _)| is_part(*place));
    cells.map(|(_, planned)| planned).collect()
}

/// Whether all cells were measured to their end.
///
/// # Errors
/// [`Stop::Failed`] with how many were not.
pub(crate) fn all_measured(cells: &[Cell]) -> Result<(), Stop> {
    let failed = cells
        .iter()
        .filter(|cell| cell.status == Status::Failed)
        .count();
    match failed {
        0 => Ok(()),
        failed => Err(Stop::Failed(format!(
            "{failed} of {} cells failed",
            cells.len()
        ))),
    }
}
