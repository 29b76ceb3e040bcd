//! `cargo xtask explain`: one cell, every knob of its allocator tried on it, and the smallest that
//! brings the object back at once.

use driver::{Interrupt, Schedule};
use model::{Cell, Explanation, Knob, LabCondition, Returns, SCHEMA_VERSION, TriedKnob};

use crate::args::{ExplainOptions, ListFormat};
use crate::interpreters::Named;
use crate::knobs::{self, Documented};
use crate::matrix::{self, Planned, Subject};
use crate::names::choose;
use crate::stop::Stop;
use crate::subjects::{Allocator, Workspace};
use crate::{command_line, interpreters, python, say, subjects};

/// How often each knob is tried. CPU time differs from run to run, the least of some is kept.
const TRIES: usize = 2;

/// How often the default settings and the knobs that suffice are tried beyond that: their costs
/// are compared.
const MORE_TRIES: usize = 4;

pub(crate) fn explain(options: &ExplainOptions) -> Result<(), Stop> {
    let workspace = subjects::workspace()?;
    let whom = Whom::choose(options, &workspace)?;
    let name = std::slice::from_ref(&options.scenario);
    let scenario = match &whom {
        Whom::Allocator(_) => choose("scenario", name, scenarios::ALL, |s| s.name)?[0],
        Whom::Interpreter(_) => python::chosen_scenarios(name)?[0],
    };
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    matrix::refuse_what_does_not_fit(&options.cells, &[scenario], &host)?;
    let experiment = python::experiment(&options.cells, scenario, whom.live())?;
    let mut documented = knobs::with_python(&workspace.knobs, whom.catalogue())?;
    documented.retain(|knob| knobs::fits(&knob.knob(), scenario) && whom.knows(knob));
    let subject = whom.subject()?;

    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let turned = documented.iter().map(Documented::knob);
    let knobs: Vec<Knob> = [Knob::default_settings()]
        .into_iter()
        .chain(turned)
        .collect();
    let conditions = options.cells.conditions.into();
    knobs::say_what_the_lab_cannot_show(conditions, &knobs, &documented);
    let plan = |knob: &Knob| {
        let cells = &options.cells;
        Planned::new(cells, experiment, &subject, knob.clone(), Schedule::Verdict)
    };
    let (cells, lab_conditions) = try_all(&knobs, &plan, &interrupt)?;
    let mut cells = cells.into_iter();
    let cell = cells.next().expect("the default settings were tried first");
    let knobs: Vec<TriedKnob> = documented
        .iter()
        .zip(cells)
        .map(|(documented, turned)| tried(documented, &cell, turned))
        .collect();
    let explanation = Explanation {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host: model::Host {
            lab_conditions,
            ..host
        },
        smallest_knob: oracle::smallest_sufficient(&cell, &knobs),
        knobs,
        cell,
    };
    match options.format {
        ListFormat::Table => say::screen(&report::explanation(&explanation, say::width())),
        ListFormat::Json => say::json(&explanation),
    }?;
    matrix::all_measured(std::slice::from_ref(&explanation.cell))
}

/// Whom it is about.
enum Whom<'a> {
    Allocator(&'a Allocator),
    Interpreter([Named; 1]),
}

impl<'a> Whom<'a> {
    /// # Errors
    /// [`Stop::BadInput`] for an allocator that there is no subject for, and for what is no interpreter.
    fn choose(options: &ExplainOptions, workspace: &'a Workspace) -> Result<Whom<'a>, Stop> {
        if let Some(name) = &options.interpreter {
            let named = Named::look(name);
            return match &named.looked {
                Ok(_) => Ok(Whom::Interpreter([named])),
                Err(why) => Err(Stop::BadInput(why.clone())),
            };
        }
        let name = options.allocator.as_slice(); // clap has seen to it that there is one
        let known = &workspace.allocators;
        Ok(Whom::Allocator(
            choose("allocator", name, known, |a| &a.name)?[0],
        ))
    }

    fn live(&self) -> &[Named] {
        match self {
            Whom::Allocator(_) => &[],
            Whom::Interpreter(live) => live,
        }
    }

    fn catalogue(&self) -> &str {
        match self {
            Whom::Allocator(allocator) => &allocator.name,
            Whom::Interpreter(_) => interpreters::CATALOGUE,
        }
    }

    fn knows(&self, knob: &Documented) -> bool {
        self.live().iter().all(|named| named.knows(knob))
    }

    /// What is measured, built.
    fn subject(&self) -> Result<Subject, Stop> {
        match self {
            Whom::Allocator(allocator) => {
                let executable = subjects::build(&[allocator])?.remove(0);
                Ok(Subject::of_allocator(allocator.name.clone(), executable))
            }
            Whom::Interpreter([named]) => Ok(named.subject()),
        }
    }
}

/// Tries each knob, and those whose costs are to be compared more often; the cheapest run of each, in
/// their order, and the conditions that they were made under.
///
/// # Errors
/// [`Stop::Interrupted`]: a part of the knobs explains nothing.
fn try_all(
    knobs: &[Knob],
    plan: &dyn Fn(&Knob) -> Planned,
    interrupt: &Interrupt,
) -> Result<(Vec<Cell>, Vec<LabCondition>), Stop> {
    let measure = |knobs: &[&Knob], times| {
        // All knobs once, then all again: what slows the machine down slows each of them down.
        let planned = std::iter::repeat_n(knobs, times).flatten();
        let planned: Vec<Planned> = planned.map(|knob| plan(knob)).collect();
        let measured = matrix::measure(&planned, interrupt);
        match interrupt.signal() {
            None => Ok(measured),
            Some(signal) => Err(Stop::Interrupted(signal)),
        }
    };
    let mut measured = measure(&knobs.iter().collect::<Vec<_>>(), TRIES)?;
    let lab_conditions = measured.lab_conditions();
    let close = worth_comparing(knobs, &measured.cells);
    measured.cells.extend(measure(&close, MORE_TRIES)?.cells);
    let cheapest_of = |knob: &Knob| {
        let tries = measured.cells.iter().filter(|cell| cell.knob == knob.name);
        cheapest(tries).clone()
    };
    Ok((knobs.iter().map(cheapest_of).collect(), lab_conditions))
}

/// The default settings and the knobs that bring the object back at once, if those settings do not.
fn worth_comparing<'a>(knobs: &'a [Knob], cells: &[Cell]) -> Vec<&'a Knob> {
    let returns_at_once = |knob: &&Knob| {
        let mut verdicts = cells.iter().filter(|cell| cell.knob == knob.name);
        let first = verdicts.next().and_then(|cell| cell.verdict.as_ref());
        first.is_some_and(|verdict| verdict.returns == Returns::AtOnce)
    };
    let sufficient: Vec<&Knob> = knobs.iter().filter(returns_at_once).collect();
    match sufficient.first() {
        Some(first) if first.name == Knob::DEFAULT => Vec::new(),
        Some(_) => knobs.iter().take(1).chain(sufficient).collect(),
        None => Vec::new(),
    }
}

/// Of several runs of one cell the one that took the least CPU time; a failed one only where
/// there is no other.
fn cheapest<'a>(tries: impl Iterator<Item = &'a Cell>) -> &'a Cell {
    let cost = |cell: &Cell| match cell.failure {
        None => oracle::cpu_ms(cell),
        Some(_) => f64::INFINITY,
    };
    let least = tries.min_by(|a, b| cost(a).total_cmp(&cost(b)));
    least.expect("every knob was tried")
}

fn tried(documented: &Documented, default: &Cell, turned: Cell) -> TriedKnob {
    let knob = documented.knob();
    let knob = knob.turned(default.release_call.as_deref());
    TriedKnob {
        does: documented.does.clone(),
        default: documented.default.clone(),
        cost: documented.cost.clone(),
        how: knob.map_or_else(String::new, |knob| knob.how),
        price: oracle::price(default, &turned),
        cell: turned,
    }
}
