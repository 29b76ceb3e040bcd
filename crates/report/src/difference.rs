//! What differs between two comparisons: two lines a cell, the older above the newer.

use std::fmt::Display;

use model::{
    CellDifferences, CellKey, Change, Circumstance, Differences, Knob, Moment, Origin, Returns,
    Status,
};

use crate::field::Field;
use crate::figures::{duration, mebibytes, thousands};
use crate::grid::Grid;
use crate::screen::{Screen, Width};
use crate::text::markdown;

/// For a terminal.
pub fn differences(differences: &Differences, width: Width) -> String {
    let mut screen = Screen::new(width);
    for line in introduction(differences) {
        screen.item(&line);
    }
    if let Some(table) = table(differences) {
        screen.blank();
        screen.table(&table);
    }
    for (index, line) in details(differences).iter().enumerate() {
        if index == 0 {
            screen.blank();
        }
        screen.item(line);
    }
    screen.blank();
    screen.item(&summary(differences));
    screen.into_text()
}

/// For a pull request.
pub fn differences_markdown(differences: &Differences) -> String {
    let list = |lines: Vec<String>| -> String {
        let items = lines.iter().map(|line| format!("- {}\n", markdown(line)));
        items.collect()
    };
    let mut blocks = vec![
        format!("### {}\n", summary(differences)),
        list(introduction(differences)),
    ];
    if let Some(table) = table(differences) {
        blocks.push(table.in_markdown() + "\n");
    }
    blocks.push(list(details(differences)));
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n")
}

/// `3 of 20 cells changed; 15 are the same; 2 differ by noise`
pub fn summary(differences: &Differences) -> String {
    let changed = differences.changed().count();
    let noisy = differences.cells.len() - changed;
    let all = differences.cells.len() + differences.same;
    let mut text = match changed {
        0 => format!("no cell of {all} changed"),
        _ => format!("{changed} of {all} cells changed"),
    };
    if differences.same > 0 {
        text += &format!("; {} are the same", differences.same);
    }
    match noisy {
        0 => {}
        1 => text += "; 1 differs by no more than two runs do",
        _ => text += &format!("; {noisy} differ by no more than two runs do"),
    }
    text
}

/// What was compared, and under which circumstances.
fn introduction(differences: &Differences) -> Vec<String> {
    let origin = |what: &str, origin: &Origin| {
        let Origin {
            command,
            afterdrop_version,
            ..
        } = origin;
        format!("{what}: {command} (afterdrop {afterdrop_version})")
    };
    let mut lines = vec![
        origin("old", &differences.old),
        origin("new", &differences.new),
    ];
    lines.extend(differences.circumstances.iter().map(circumstance));
    lines
}

/// `kernel 6.1 before, 6.18 now`
pub(crate) fn circumstance(Circumstance { name, old, new }: &Circumstance) -> String {
    format!("{name} {} before, {} now", or_unknown(old), or_unknown(new))
}

fn or_unknown(fact: &Option<String>) -> &str {
    fact.as_deref().unwrap_or("unknown")
}

/// The moments that have a column, where anything has changed at one.
const COLUMNS: [(&str, Moment); 6] = [
    ("built", Moment::Built),
    ("dropped", Moment::Dropped),
    ("idle", Moment::Idle),
    ("active", Moment::Active),
    ("asked", Moment::Released),
    ("settled", Moment::Settled),
];

/// What is kept at a moment, KiB, before and now: of several moments of a kind the one that moved most.
fn kept(cell: &CellDifferences, moment: Moment) -> Option<(i64, i64)> {
    let kept = cell.changes.iter().filter_map(|change| match change {
        Change::Kept {
            at,
            old_kib,
            new_kib,
            ..
        } if at.name == moment => Some((*old_kib, *new_kib)),
        _ => None,
    });
    kept.max_by_key(|(old, new)| old.abs_diff(*new))
}

fn verdict(cell: &CellDifferences) -> Option<(Returns, Returns)> {
    cell.changes.iter().find_map(|change| match change {
        Change::Verdict { old, new } => Some((*old, *new)),
        _ => None,
    })
}

/// Two rows for each cell of which the verdict or what is kept has changed; `None` where there is none.
fn table(differences: &Differences) -> Option<Grid> {
    let has_moved = |moment| {
        differences
            .changed()
            .any(|cell| kept(cell, moment).is_some())
    };
    let columns = COLUMNS.iter().filter(|(_, moment)| has_moved(*moment));
    let columns: Vec<_> = columns.copied().collect();
    let mut rows = Vec::new();
    for cell in differences.changed() {
        let kept = columns.iter().map(|(_, moment)| kept(cell, *moment));
        let kept: Vec<_> = kept.collect();
        let verdict = verdict(cell);
        if verdict.is_some() || kept.iter().any(Option::is_some) {
            let row = |name: String, age: &str, side: fn((i64, i64)) -> i64, returns| {
                let figures = kept.iter().map(|kept| kept.map(side));
                let figures = figures.map(|kib| kib.map_or("=".to_owned(), signed));
                let fields = [name, age.to_owned()].into_iter().chain(figures);
                let same = || Field::from("=".to_owned());
                let returns = Option::map_or_else(returns, same, Field::verdict);
                fields.map(Field::from).chain([returns]).collect()
            };
            let (was, is) = (verdict.map(|v| v.0), verdict.map(|v| v.1));
            rows.push(row(spelled(&cell.cell), "old", |kept| kept.0, was));
            rows.push(row(String::new(), "new", |kept| kept.1, is));
        }
    }
    let titles = columns.iter().map(|(title, _)| *title);
    let header = ["kept, KiB", ""].into_iter().chain(titles);
    let header: Vec<String> = header.chain(["returns"]).map(str::to_owned).collect();
    (!rows.is_empty()).then(|| Grid::of_words(&header, rows))
}

/// `1,234`, `-1,234`
fn signed(kib: i64) -> String {
    let sign = if kib < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(kib.unsigned_abs()))
}

/// `int-list under jemalloc decay-0 on debian12`
fn spelled(key: &CellKey) -> String {
    let mut text = key.scenario.clone();
    if let Some(python) = &key.python {
        text += &format!(" in Python {python}");
    }
    text += &format!(" under {}", key.allocator);
    if key.knob != Knob::DEFAULT {
        text += &format!(" {}", key.knob);
    }
    if let Some(machine) = &key.machine {
        text += &format!(" on {machine}");
    }
    text
}

/// What has no column, a line for each cell.
fn details(differences: &Differences) -> Vec<String> {
    let line = |cell: &CellDifferences| {
        let said: Vec<String> = cell.changes.iter().filter_map(detail).collect();
        let mut name = spelled(&cell.cell);
        // The other result may have it in another size.
        let lacks = |change: &Change| matches!(change, Change::Added | Change::Gone);
        if cell.changes.iter().any(lacks) {
            name += &format!(", size {}", thousands(cell.cell.size));
        }
        (!said.is_empty()).then(|| format!("{name}: {}", said.join("; ")))
    };
    differences.changed().filter_map(line).collect()
}

/// What has no column in a table; `None` of what has one.
pub(crate) fn detail(change: &Change) -> Option<String> {
    let then_now = |what: &str, old: &dyn Display, new: &dyn Display| {
        Some(format!("{what} {old} before, {new} now"))
    };
    match change {
        Change::Added => Some("only the new result has it".to_owned()),
        Change::Gone => Some("only the old result has it".to_owned()),
        Change::Status { new, failure, .. } => {
            let reason = failure.as_deref().unwrap_or("for an unknown reason");
            Some(match new {
                Status::Failed => format!("failed: {reason}"),
                Status::Measured => format!("measured now; it had failed: {reason}"),
            })
        }
        Change::Version { old, new } => then_now("version", &or_unknown(old), &or_unknown(new)),
        Change::Checkpoints { old, new } => then_now("checkpoints", old, new),
        Change::Cause { old, new } => {
            let cause = |cause: &Option<String>| cause.clone().unwrap_or("none".to_owned());
            then_now("cause", &quoted(&cause(old)), &quoted(&cause(new)))
        }
        Change::Faults { old, new, .. } => {
            then_now("page faults", &thousands(*old), &thousands(*new))
        }
        Change::Cpu { old_ms, new_ms } => {
            let spelled = |ms: f64| duration(ms.round() as u64);
            then_now("CPU time", &spelled(*old_ms), &spelled(*new_ms))
        }
        Change::Kept {
            at,
            old_kib,
            new_kib,
            ..
        } if !COLUMNS.iter().any(|(_, moment)| *moment == at.name) => {
            then_now(at.name.name(), &mebibytes(*old_kib), &mebibytes(*new_kib))
        }
        Change::Kept { .. } | Change::Verdict { .. } => None,
    }
}

fn quoted(sentence: &str) -> String {
    format!("\"{}\"", sentence.trim_end_matches('.'))
}
