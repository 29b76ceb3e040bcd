//! A cell's ledgers, one below the other: bars as long as what was resident, and the KiB behind them.

use model::{Cell, Checkpoint, Entry};

use super::steps::steps;
use crate::figures::thousands;

/// A row for each checkpoint; for a span of time where nothing changed.
pub(super) struct Ledger<'a> {
    /// Without those that are 0 throughout.
    pub(super) parts: Vec<Part<'a>>,
    pub(super) rows: Vec<Row>,
}

/// A kind of memory: a column, and a piece of each bar.
pub(super) struct Part<'a> {
    pub(super) entry: &'a Entry,
    /// Its class in the style sheet.
    pub(super) class: String,
}

pub(super) struct Row {
    pub(super) title: String,
    pub(super) pieces: Vec<Piece>,
    /// KiB of each part.
    pub(super) figures: Vec<String>,
    /// Their sum, KiB.
    pub(super) resident: String,
    /// What is kept, KiB.
    pub(super) kept: String,
}

/// One part's piece of a bar.
pub(super) struct Piece {
    /// Which part.
    pub(super) part: usize,
    /// Of the longest bar, in per cent.
    pub(super) width: f64,
}

/// Shorter pieces would not be seen, in per cent.
const SHORTEST: f64 = 0.3;

/// Colours of the allocators' own parts; of more parts some share one.
const OWN: usize = 6;

impl Ledger<'_> {
    pub(super) fn of(cell: &Cell) -> Ledger<'_> {
        let checkpoints = &cell.checkpoints;
        let parts = parts(checkpoints);
        let figures =
            |c: &Checkpoint| -> Vec<i64> { parts.iter().map(|(i, _)| figure(c, *i)).collect() };
        let longest_kib = checkpoints.iter().map(sum).max().unwrap_or(0).max(1);
        let steps = steps(checkpoints);
        let places: Vec<usize> = (0..checkpoints.len()).collect();
        let same = |a: &Checkpoint, b: &Checkpoint| {
            (a.name, a.kept_kib) == (b.name, b.kept_kib) && figures(a) == figures(b)
        };
        let spans = places.chunk_by(|a, b| same(&checkpoints[*a], &checkpoints[*b]));
        let row = |span: &[usize]| {
            let checkpoint = &checkpoints[span[0]];
            let figures = figures(checkpoint);
            let pieces = figures.iter().enumerate().map(|(part, kib)| Piece {
                part,
                width: *kib as f64 / longest_kib as f64 * 100.0,
            });
            Row {
                title: steps[span[0]].to(&steps[span[span.len() - 1]]),
                pieces: pieces.filter(|piece| piece.width >= SHORTEST).collect(),
                figures: figures.iter().copied().map(kib).collect(),
                resident: kib(sum(checkpoint)),
                kept: kib(checkpoint.kept_kib),
            }
        };
        Ledger {
            rows: spans.map(row).collect(),
            parts: parts.into_iter().map(|(_, part)| part).collect(),
        }
    }
}

/// Each part that is anything at any checkpoint, with its place in the ledgers.
fn parts(checkpoints: &[Checkpoint]) -> Vec<(usize, Part<'_>)> {
    let longest = checkpoints
        .iter()
        .max_by_key(|checkpoint| checkpoint.ledger.len());
    let entries = longest.map_or(&[][..], |checkpoint| &checkpoint.ledger);
    let mut own = 0..;
    let mut parts = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let class = match entry.name.as_str() {
            Entry::ALIVE => "alive".to_owned(),
            Entry::ROUNDING => "rounding".to_owned(),
            Entry::LAZILY_FREED => "lazily".to_owned(),
            Entry::REST => "rest".to_owned(),
            Entry::UNEXPLAINED => "unexplained".to_owned(),
            _ => format!("own-{}", own.next().unwrap_or(0) % OWN),
        };
        if checkpoints
            .iter()
            .any(|checkpoint| figure(checkpoint, place) != 0)
        {
            parts.push((place, Part { entry, class }));
        }
    }
    parts
}

fn figure(checkpoint: &Checkpoint, place: usize) -> i64 {
    checkpoint.ledger.get(place).map_or(0, |entry| entry.kib)
}

fn sum(checkpoint: &Checkpoint) -> i64 {
    let kib = checkpoint.ledger.iter().map(|entry| entry.kib);
    kib.fold(0, i64::saturating_add) // a document may say anything
}

/// `-1,204`: KiB to the last one, unlike in a sentence.
pub(super) fn kib(kib: i64) -> String {
    let sign = if kib < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(kib.unsigned_abs()))
}
