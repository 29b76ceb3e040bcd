//! What the comparison of these tests was earlier, and what has changed since.

use model::{
    At, Cell, CellDifferences, Change, Circumstance, Comparison, Differences, Origin, Returns,
};

/// As it was: jemalloc never gave back, system kept some KiB less after a drop, one of the cells was not
/// there and another is gone.
pub(crate) fn before(comparison: &Comparison) -> Comparison {
    let mut before = comparison.clone();
    let cells = &mut before.cells;
    cells[0].checkpoints[2].kept_kib -= 40_000;
    cells[1].verdict.as_mut().expect("a verdict").returns = Returns::Never;
    for checkpoint in &mut cells[1].checkpoints[9..] {
        checkpoint.kept_kib = 165_416;
    }
    cells[3].knob = "away".to_owned();
    before
}

/// What the oracle would find, of the fourth cell's noise too.
pub(crate) fn differences(old: &Comparison, new: &Comparison) -> Differences {
    let kept = |cell: usize, noise: bool| {
        let pairs = old.cells[cell]
            .checkpoints
            .iter()
            .zip(&new.cells[cell].checkpoints);
        let differ = pairs.filter(|(old, new)| old.kept_kib != new.kept_kib);
        differ.map(move |(old, new)| Change::Kept {
            at: At {
                name: new.name,
                round: new.round,
                clock_ms: new.clock_ms,
            },
            old_kib: old.kept_kib,
            new_kib: new.kept_kib,
            noise,
        })
    };
    let verdict = Change::Verdict {
        old: Returns::Never,
        new: Returns::OnActivity,
    };
    let cause = Change::Cause {
        old: Some("Another reason.".to_owned()),
        new: None,
    };
    let cpu = Change::Cpu {
        old_ms: 100.0,
        new_ms: 900.0,
    };
    let of = |cell: &Cell, changes: Vec<Change>| CellDifferences {
        cell: cell.key(),
        nth: 0,
        exact: true,
        changes,
    };
    let jemalloc = [verdict, cause].into_iter().chain(kept(1, false)).collect();
    Differences {
        schema_version: new.schema_version,
        old: Origin {
            command: old.command.clone(),
            afterdrop_version: old.afterdrop_version.clone(),
            host: old.host.clone(),
        },
        new: Origin {
            command: new.command.clone(),
            afterdrop_version: new.afterdrop_version.clone(),
            host: new.host.clone(),
        },
        circumstances: vec![Circumstance {
            name: "glibc".to_owned(),
            old: Some("2.36".to_owned()),
            new: None,
        }],
        same: 0,
        cells: vec![
            of(&new.cells[0], kept(0, false).collect()),
            of(&new.cells[1], jemalloc),
            of(&new.cells[2], vec![cpu]),
            of(&new.cells[3], vec![Change::Added]),
            of(&old.cells[3], vec![Change::Gone]),
        ],
    }
}
