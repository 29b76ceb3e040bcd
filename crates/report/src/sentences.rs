//! One plain sentence per allocator: what it keeps, until when, and on whose request it returns it.

use std::collections::BTreeSet;

use model::{Cell, Comparison, Knob, Moment, Returned, Returns, Status, Verdict};

use crate::figures::{duration, listed, percent};

/// A sentence for each allocator and knob, in the order of the cells.
pub fn sentences(comparison: &Comparison) -> Vec<String> {
    let mut subjects: Vec<(&str, &str, Option<&str>)> = Vec::new();
    for cell in &comparison.cells {
        let subject = identity(cell);
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    subjects
        .into_iter()
        .map(|subject| {
            let cells = comparison.cells.iter();
            sentence(&cells.filter(|c| identity(c) == subject).collect::<Vec<_>>())
        })
        .collect()
}

/// What a sentence is about: an allocator with a knob, on a machine.
fn identity(cell: &Cell) -> (&str, &str, Option<&str>) {
    (&cell.allocator, &cell.knob, cell.machine.as_deref())
}

/// All cells of one allocator with one knob, in one sentence: a clause for each kind of verdict.
pub(crate) fn sentence(cells: &[&Cell]) -> String {
    let judged: Vec<(&Cell, &Verdict)> = cells
        .iter()
        .filter_map(|cell| Some((*cell, cell.verdict.as_ref()?)))
        .collect();
    let pythons: BTreeSet<&str> = cells.iter().filter_map(|c| c.python.as_deref()).collect();
    // With one Python in all of them the scenario's name is enough: the tables' titles have the version.
    let spelled = |cell: &Cell| match pythons.len() {
        ..=1 => cell.scenario.clone(),
        _ => cell.experiment(),
    };
    let mut clauses: Vec<String> = Returns::ALL
        .into_iter()
        .filter_map(|kind| {
            let group = judged.iter().filter(|(_, verdict)| verdict.returns == kind);
            let group: Vec<(&Cell, &Verdict)> = group.copied().collect();
            let names: Vec<String> = group.iter().map(|(cell, _)| spelled(cell)).collect();
            clause(kind, &group, &names, cells.len() == 1)
        })
        .collect();
    let failed = cells.iter().filter(|cell| cell.status == Status::Failed);
    // What the user interrupted is nobody's failure.
    let failed = failed.filter(|cell| !cell.failure.iter().any(|f| f.starts_with("interrupted")));
    clauses.extend(failed.map(|cell| {
        let reason = cell.failure.as_deref().unwrap_or("for an unknown reason");
        format!("failed on {}: {reason}", spelled(cell))
    }));
    if clauses.is_empty() {
        clauses.push("was not measured to the end".to_owned());
    }
    format!("{} {}", subject(cells[0]), clauses.join("; "))
}

fn subject(cell: &Cell) -> String {
    let title = cell.allocator_title.as_ref().unwrap_or(&cell.allocator);
    let mut text = title.clone();
    if cell.knob != Knob::DEFAULT {
        text += &format!(" with {}", cell.knob);
    }
    if let Some(machine) = &cell.machine {
        text += &format!(" on {machine}");
    }
    text
}

/// What one kind of verdict says of the cells that share it, whose scenarios have these names; `alone` leaves
/// them out.
fn clause(
    kind: Returns,
    group: &[(&Cell, &Verdict)],
    names: &[String],
    alone: bool,
) -> Option<String> {
    let (cell, _) = group.first()?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let names = listed(&names);
    let kept = if alone {
        kept(group)
    } else {
        format!("{} of {names}", kept(group))
    };
    let call = cell.release_call.as_deref();
    let or_not = call.map_or(", and cannot be asked".to_owned(), |call| {
        format!(", {call} or not")
    });
    let mut clause = match kind {
        Returns::AtOnce if alone => "returns the memory at once".to_owned(),
        Returns::AtOnce => format!("returns {names} at once"),
        Returns::WhenIdle => format!("keeps {kept} until {} have passed", longest_wait(group)),
        Returns::OnActivity => format!("keeps {kept} until {}", activity(group)),
        Returns::OnRequest => format!(
            "keeps {kept} until asked: {}",
            requests(group, call.unwrap_or("its own call"))
        ),
        Returns::Partly => format!("keeps {kept}, {} for good{or_not}", kept_in_the_end(group)),
        Returns::Never => format!("keeps {kept} for good{or_not}"),
    };
    let came_back = !matches!(kind, Returns::Partly | Returns::Never);
    if came_back && group.iter().any(|(_, verdict)| verdict.lazily >= LAZILY) {
        clause += ", lazily: the resident size shows it until the kernel takes it";
    }
    Some(clause)
}

/// What was asked, and gave it back: of a scenario with a garbage collector that comes first.
fn requests(group: &[(&Cell, &Verdict)], call: &str) -> String {
    const COLLECTION: &str = "gc.collect()";
    let is_collection =
        |(_, verdict): &(&Cell, &Verdict)| verdict.occasion == Some(Moment::Collected);
    let has_collector = |(cell, _): &(&Cell, &Verdict)| cell.python.is_some();
    if group.iter().all(is_collection) {
        return format!("{COLLECTION} returns it");
    }
    match group.iter().any(has_collector) {
        true => format!("{COLLECTION} and then {call} return it"),
        false => format!("{call} returns it"),
    }
}

/// From what part of the object on pages freed by `MADV_FREE` are worth a word.
const LAZILY: f64 = 0.1;

/// What is kept after the drop that the verdict is about.
fn kept(group: &[(&Cell, &Verdict)]) -> String {
    range(group, |verdict| {
        let dropped = (Moment::Dropped, verdict.round);
        let mut returned = verdict.returned.iter();
        returned.find(|r| (r.name, r.round) == dropped)
    })
}

/// What is kept at the last checkpoint.
fn kept_in_the_end(group: &[(&Cell, &Verdict)]) -> String {
    range(group, |verdict| verdict.returned.last())
}

/// `80 %`, or `80 % to 100 %`: what is kept at one checkpoint of each verdict.
fn range(group: &[(&Cell, &Verdict)], at: fn(&Verdict) -> Option<&Returned>) -> String {
    let mut fractions: Vec<f64> = group
        .iter()
        .filter_map(|(_, verdict)| Some(1.0 - at(verdict)?.fraction?))
        .collect();
    fractions.sort_by(f64::total_cmp);
    match (fractions.first(), fractions.last()) {
        (Some(&least), Some(&most)) if percent(least) != percent(most) => {
            format!("{} to {}", percent(least), percent(most))
        }
        (Some(&only), _) => percent(only),
        (None, _) => "memory".to_owned(),
    }
}

fn longest_wait(group: &[(&Cell, &Verdict)]) -> String {
    let waits = group.iter().filter_map(|(_, verdict)| verdict.after_ms);
    duration(waits.max().unwrap_or(0))
}

/// How long the program had to go on allocating, from the end of the idling on.
fn activity(group: &[(&Cell, &Verdict)]) -> String {
    let needed = group
        .iter()
        .filter_map(|(_, verdict)| more_activity_ms(verdict));
    match needed.max() {
        Some(ms) => format!(
            "the program has gone on allocating for up to {}",
            duration(ms)
        ),
        None => "the program allocates again".to_owned(),
    }
}

/// `None` where the first traffic that came along was enough.
fn more_activity_ms(verdict: &Verdict) -> Option<u64> {
    let is = |moment| move |returned: &&Returned| returned.name == moment;
    let dropped_ms = verdict.returned.iter().rfind(is(Moment::Dropped))?.clock_ms;
    let idled_ms = verdict.returned.iter().rfind(is(Moment::Idle))?.clock_ms;
    let first_ms = verdict.returned.iter().find(is(Moment::Active))?.clock_ms;
    let returned_ms = dropped_ms.saturating_add(verdict.after_ms?);
    (returned_ms > first_ms).then(|| returned_ms.saturating_sub(idled_ms))
}
