//! What changed since a baseline: the section that opens the page, a word beside the cell in the matrix,
//! sentences in the cell's story. What two runs differ by of themselves is counted and folded away.

use std::collections::HashMap;

use model::{Cell, CellDifferences, CellKey, Change, Comparison, Differences, Origin, Returns};

use super::matrix::{Mark, Matrix, kept, title, word};
use crate::charts::steps::steps;
use crate::difference::{circumstance, detail, summary};
use crate::figures::kib;
use crate::rows::name;

/// An earlier comparison to show a later one against.
#[derive(Clone, Copy, Debug)]
pub struct Baseline<'a> {
    /// The earlier one.
    pub comparison: &'a Comparison,
    /// What the oracle finds to differ between it and the one that is shown.
    pub differences: &'a Differences,
}

pub(super) struct Changes<'a> {
    pub(super) summary: String,
    pub(super) origin: &'a Origin,
    pub(super) circumstances: Vec<String>,
    /// In the order of the differences.
    pub(super) changed: Vec<Changed<'a>>,
    /// The cells that differ by no more than two runs do.
    pub(super) noisy: Vec<Changed<'a>>,
}

/// All that differs in one cell.
pub(super) struct Changed<'a> {
    /// Its place among the cells that are shown; `None` where it is gone.
    index: Option<usize>,
    pub(super) name: String,
    /// `on activity before, at once now`
    pub(super) returns: String,
    pub(super) kept: Vec<Kept>,
    /// Whatever else differs, in words.
    pub(super) others: Vec<String>,
    /// What it was; `None` where it is new.
    before: Option<&'a Cell>,
    changes: &'a [Change],
}

/// What is kept, from one step to the next at which either figure is another.
pub(super) struct Kept {
    /// `idle 10 ms to 60 s`
    pub(super) title: String,
    /// KiB before.
    pub(super) old: String,
    /// KiB now.
    pub(super) new: String,
    /// Whether runs differ by so much of themselves.
    pub(super) noise: bool,
}

impl<'a> Changes<'a> {
    /// From the baseline to `comparison`.
    pub(super) fn of(comparison: &'a Comparison, baseline: Baseline<'a>) -> Changes<'a> {
        let (old, new) = (places(baseline.comparison), places(comparison));
        let differences = baseline.differences;
        let changed = |cell: &'a CellDifferences| {
            let place = (cell.cell.clone(), cell.nth);
            let before = old.get(&place).map(|i| &baseline.comparison.cells[*i]);
            let index = new.get(&place).copied();
            Changed::of(cell, before, index.map(|i| (i, &comparison.cells[i])))
        };
        let (real, noisy): (Vec<_>, Vec<_>) =
            differences.cells.iter().partition(|c| c.is_changed());
        Changes {
            summary: summary(differences),
            origin: &differences.old,
            circumstances: differences.circumstances.iter().map(circumstance).collect(),
            changed: real.into_iter().map(changed).collect(),
            noisy: noisy.into_iter().map(changed).collect(),
        }
    }

    /// Puts a word beside each cell of the matrix that changed.
    pub(super) fn mark(&self, matrix: &mut Matrix) {
        let changed: HashMap<usize, &Changed> = by_index(&self.changed);
        let entries = matrix.rows.iter_mut().flat_map(|row| &mut row.entries);
        for mark in entries.flatten() {
            mark.change = changed.get(&mark.index).map(|changed| changed.word(mark));
        }
    }

    /// The stories' part of it, by the cells' places.
    pub(super) fn by_cell(&self) -> HashMap<usize, &Changed<'a>> {
        by_index(self.noisy.iter().chain(&self.changed))
    }
}

fn by_index<'c, 'a: 'c>(
    changed: impl IntoIterator<Item = &'c Changed<'a>>,
) -> HashMap<usize, &'c Changed<'a>> {
    let placed = changed.into_iter().map(|c| Some((c.index?, c)));
    placed.flatten().collect()
}

/// Each cell's place, by its key and how many of that key stand before it.
fn places(comparison: &Comparison) -> HashMap<(CellKey, usize), usize> {
    let mut seen: HashMap<CellKey, usize> = HashMap::new();
    let mut places = HashMap::new();
    for (place, cell) in comparison.cells.iter().enumerate() {
        let before = seen.entry(cell.key()).or_default();
        places.insert((cell.key(), *before), place);
        *before += 1;
    }
    places
}

impl<'a> Changed<'a> {
    fn of(
        differences: &'a CellDifferences,
        before: Option<&'a Cell>,
        now: Option<(usize, &Cell)>,
    ) -> Changed<'a> {
        let cell = now.map(|(_, cell)| cell);
        let named = cell.or(before);
        let changes = &differences.changes;
        let others = changes.iter().filter_map(|change| match change {
            Change::Kept { .. } => None, // has a column of its own
            change => detail(change),
        });
        Changed {
            index: now.map(|(index, _)| index),
            name: named.map_or_else(String::new, |cell| {
                format!("{}, under {}", title(cell), name(cell))
            }),
            returns: returns(changes, cell, before),
            kept: cell.map_or_else(Vec::new, |cell| all_kept(changes, cell)),
            others: others.collect(),
            before,
            changes,
        }
    }

    /// `#c3`
    pub(super) fn link(&self) -> Option<String> {
        self.index.map(|index| format!("#c{index}"))
    }

    /// All of it in sentences.
    pub(super) fn sentences(&self) -> Vec<String> {
        let verdict = verdict(self.changes).map(|(old, new)| {
            let word = |returns: Returns| returns.name().replace('-', " ");
            format!("returns: {} before, {} now", word(old), word(new))
        });
        let kept = self.kept.iter().map(|kept| {
            let noise = if kept.noise { ", as two runs may" } else { "" };
            let Kept {
                title, old, new, ..
            } = kept;
            format!("kept at {title}: {old} KiB before, {new} KiB now{noise}")
        });
        let mut all: Vec<String> = verdict.into_iter().chain(kept).collect();
        all.extend(self.others.iter().cloned());
        all
    }

    /// The cell as it was, where what it kept as time went by was something else and not by noise only.
    pub(super) fn earlier_line(&self) -> Option<&'a Cell> {
        let has_moved = self.changes.iter().any(|change| match change {
            Change::Kept { noise, .. } => !noise,
            Change::Checkpoints { .. } => true,
            _ => false,
        });
        self.before.filter(|_| has_moved)
    }

    /// `was at once`: the most of it that a word or two can say.
    fn word(&self, mark: &Mark) -> String {
        let Some(before) = self.before else {
            return "new".to_owned();
        };
        let (old, percent) = (word(before), kept(before));
        match mark.word() == old {
            false => format!("was {old}"),
            true if percent != mark.kept => {
                percent.map_or("changed".to_owned(), |percent| format!("was {percent}"))
            }
            true => "changed".to_owned(),
        }
    }
}

fn verdict(changes: &[Change]) -> Option<(Returns, Returns)> {
    changes.iter().find_map(|change| match change {
        Change::Verdict { old, new } => Some((*old, *new)),
        _ => None,
    })
}

fn returns(changes: &[Change], now: Option<&Cell>, before: Option<&Cell>) -> String {
    match (verdict(changes), now, before) {
        (Some((old, new)), ..) => {
            format!("{} before, {} now", old.name(), new.name()).replace('-', " ")
        }
        (None, Some(now), _) => word(now),
        (None, None, Some(before)) => format!("{} before", word(before)),
        (None, None, None) => String::new(),
    }
}

/// What moved, step by step of `cell`, the newer one.
fn all_kept(changes: &[Change], cell: &Cell) -> Vec<Kept> {
    let steps = steps(&cell.checkpoints);
    let mut moved = Vec::new();
    let mut from = 0;
    for change in changes {
        if let Change::Kept {
            at,
            old_kib,
            new_kib,
            noise,
        } = change
        {
            let rest = &cell.checkpoints[from..];
            let place = |c: &model::Checkpoint| (c.name, c.round, c.clock_ms);
            let ahead = rest
                .iter()
                .position(|c| place(c) == (at.name, at.round, at.clock_ms));
            // Of differences between other comparisons than these nothing is shown.
            let Some(ahead) = ahead else { continue };
            moved.push((from + ahead, *old_kib, *new_kib, *noise));
            from += ahead + 1;
        }
    }
    let adjoin = |a: &(usize, i64, i64, bool), b: &(usize, i64, i64, bool)| {
        (a.0 + 1, steps[a.0].moment) == (b.0, steps[b.0].moment) && (a.1, a.2) == (b.1, b.2)
    };
    let spans = moved.chunk_by(adjoin);
    let kept = spans.map(|span| {
        let (first, old, new, noise) = span[0];
        Kept {
            title: steps[first].to(&steps[span[span.len() - 1].0]),
            old: kib(old),
            new: kib(new),
            noise,
        }
    });
    kept.collect()
}
