//! From two comparisons to what differs, and whether that means anything.
//!
//! ```text
//! exact   <=>  both cells were measured under lab conditions, and all of these held
//! exact   =>   every KiB kept is a change
//!              page faults are noise up to max(COMPARABLE_FAULTS, NOISE_FAULTS of them)
//! else         what is kept is noise up to max(NOISE_KIB, NOISE_PART of what was occupied)
//!              page faults are noise
//! always       CPU time is noise
//! ```

#[cfg(test)]
#[path = "difference/tests.rs"]
mod tests;

use std::collections::HashMap;

use model::{
    At, Cell, CellDifferences, CellKey, Change, Checkpoint, Circumstance, Comparison, Conditions,
    Differences, Host, Origin, SCHEMA_VERSION,
};

use crate::price::cpu_ms;
use crate::thresholds::{
    COMPARABLE_FAULTS, NOISE_CPU, NOISE_CPU_MS, NOISE_FAULTS, NOISE_KIB, NOISE_PART,
};

/// What becomes of cells that only the older comparison has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// They are gone, which is a change.
    Gone,
    /// The newer comparison was to have fewer.
    LeftOut,
}

/// What is not the same in two comparisons.
pub fn differences(old: &Comparison, new: &Comparison, missing: Missing) -> Differences {
    let mut before: HashMap<_, _> = numbered(&old.cells).collect();
    let mut cells = Vec::new();
    let mut same = 0;
    for (key, cell) in numbered(&new.cells) {
        let (exact, changes) = match before.remove(&key) {
            Some(old) => (is_exact(old) && is_exact(cell), changes(old, cell)),
            None => (is_exact(cell), vec![Change::Added]),
        };
        match changes.is_empty() {
            true => same += 1,
            false => cells.push(CellDifferences {
                cell: key.0,
                nth: key.1,
                exact,
                changes,
            }),
        }
    }
    if missing == Missing::Gone {
        let gone = numbered(&old.cells).filter(|(key, _)| before.contains_key(key));
        cells.extend(gone.map(|(key, cell)| CellDifferences {
            cell: key.0,
            nth: key.1,
            exact: is_exact(cell),
            changes: vec![Change::Gone],
        }));
    }
    Differences {
        schema_version: SCHEMA_VERSION,
        old: origin(old),
        new: origin(new),
        circumstances: circumstances(old, new),
        same,
        cells,
    }
}

/// Each cell by its key and how many of that key come before it: two builds of a subject may have one name.
fn numbered(cells: &[Cell]) -> impl Iterator<Item = ((CellKey, usize), &Cell)> {
    let mut seen = HashMap::new();
    cells.iter().map(move |cell| {
        let before: &mut usize = seen.entry(cell.key()).or_default();
        *before += 1;
        ((cell.key(), *before - 1), cell)
    })
}

/// Whether the same run gives the same figures.
fn is_exact(cell: &Cell) -> bool {
    let held = |upheld: model::Upheld| upheld.named().iter().all(|(_, held)| *held);
    cell.conditions == Conditions::Lab && cell.upheld.is_some_and(held)
}

fn changes(old: &Cell, new: &Cell) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.status != new.status || old.failure != new.failure {
        let failure = new.failure.as_ref().or(old.failure.as_ref());
        changes.push(Change::Status {
            old: old.status,
            new: new.status,
            failure: failure.cloned(),
        });
    }
    if old.allocator_version != new.allocator_version {
        changes.push(Change::Version {
            old: old.allocator_version.clone(),
            new: new.allocator_version.clone(),
        });
    }
    if let (Some(old), Some(new)) = (&old.verdict, &new.verdict)
        && old.returns != new.returns
    {
        changes.push(Change::Verdict {
            old: old.returns,
            new: new.returns,
        });
    }
    changes.extend(changed_cause(old, new));
    let exact = is_exact(old) && is_exact(new);
    if !alike(&old.checkpoints, &new.checkpoints, exact) {
        changes.push(Change::Checkpoints {
            old: old.checkpoints.len(),
            new: new.checkpoints.len(),
        });
        return changes;
    }
    changes.extend(changed_kept(old, new, exact));
    changes.extend(changed_faults(old, new, exact));
    changes.extend(changed_cpu(old, new));
    changes
}

/// Whether these are the same checkpoints, whatever was found at them; at the same times, where the clock is the
/// lab's.
fn alike(old: &[Checkpoint], new: &[Checkpoint], exact: bool) -> bool {
    let places = |checkpoints: &[Checkpoint]| {
        let place = |c: &Checkpoint| (c.name, c.round, exact.then_some(c.clock_ms));
        checkpoints.iter().map(place).collect::<Vec<_>>()
    };
    places(old) == places(new)
}

/// Another reason rests on other evidence; the same one with other figures is no other cause.
fn changed_cause(old: &Cell, new: &Cell) -> Option<Change> {
    let evidence = |cell: &Cell| -> Option<Vec<String>> {
        let evidence = cell.cause.as_ref()?.evidence.iter();
        Some(evidence.map(|figure| figure.name.clone()).collect())
    };
    let sentence = |cell: &Cell| cell.cause.as_ref().map(|cause| cause.sentence.clone());
    (evidence(old) != evidence(new)).then(|| Change::Cause {
        old: sentence(old),
        new: sentence(new),
    })
}

fn changed_kept(old: &Cell, new: &Cell, exact: bool) -> impl Iterator<Item = Change> {
    let occupied_kib = |cell: &Cell| cell.verdict.as_ref().map_or(0, |v| v.occupied_kib);
    let part = (occupied_kib(old).max(occupied_kib(new)) as f64 * NOISE_PART) as u64;
    let noise_kib = match exact {
        true => 0,
        false => part.max(NOISE_KIB),
    };
    let pairs = old.checkpoints.iter().zip(&new.checkpoints);
    let differ = pairs.filter(|(old, new)| old.kept_kib != new.kept_kib);
    differ.map(move |(old, new)| Change::Kept {
        at: At {
            name: new.name,
            round: new.round,
            clock_ms: new.clock_ms,
        },
        old_kib: old.kept_kib,
        new_kib: new.kept_kib,
        noise: old.kept_kib.abs_diff(new.kept_kib) <= noise_kib,
    })
}

/// `None` where the machine does not count them.
fn changed_faults(old: &Cell, new: &Cell, exact: bool) -> Option<Change> {
    let faults = |cell: &Cell| {
        let mut checkpoints = cell.checkpoints.iter();
        checkpoints.try_fold(0_u64, |sum, c| Some(sum.saturating_add(c.minor_faults?)))
    };
    let (old, new) = (faults(old)?, faults(new)?);
    let part = (old.max(new) as f64 * NOISE_FAULTS) as u64;
    (old != new).then(|| Change::Faults {
        old,
        new,
        noise: !exact || old.abs_diff(new) <= part.max(COMPARABLE_FAULTS),
    })
}

/// What is worth a look all the same.
fn changed_cpu(old: &Cell, new: &Cell) -> Option<Change> {
    let (old_ms, new_ms) = (cpu_ms(old), cpu_ms(new));
    let (least, most) = (old_ms.min(new_ms), old_ms.max(new_ms));
    (most > NOISE_CPU_MS && most > least * NOISE_CPU).then_some(Change::Cpu { old_ms, new_ms })
}

fn origin(comparison: &Comparison) -> Origin {
    Origin {
        command: comparison.command.clone(),
        afterdrop_version: comparison.afterdrop_version.clone(),
        host: comparison.host.clone(),
    }
}

/// Facts that explain differences, where they are others.
fn circumstances(old: &Comparison, new: &Comparison) -> Vec<Circumstance> {
    let facts = |comparison: &Comparison| {
        let mut facts = vec![("afterdrop", Some(comparison.afterdrop_version.clone()))];
        facts.extend(machine_facts(&comparison.host));
        facts
    };
    let pairs = facts(old).into_iter().zip(facts(new));
    let differ = pairs.filter(|((_, old), (_, new))| old != new);
    let circumstance = |((name, old), (_, new)): ((&str, _), (_, _))| Circumstance {
        name: name.to_owned(),
        old,
        new,
    };
    differ.map(circumstance).collect()
}

/// What may make the same cell another one on another machine.
pub(crate) fn machine_facts(host: &Host) -> [(&'static str, Option<String>); 6] {
    [
        ("os", host.os.clone()),
        ("kernel", host.kernel.clone()),
        ("glibc", host.glibc.clone()),
        ("architecture", Some(host.architecture.clone())),
        ("page size", Some(host.page_size_bytes.to_string())),
        ("huge pages", host.huge_pages.clone()),
    ]
}
