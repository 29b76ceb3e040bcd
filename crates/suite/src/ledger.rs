//! The third assertion, which needs no snapshot: every resident byte has its place in the ledger.
//!
//! Its control is an account that keeps back the part in which the most memory lies: the same run,
//! judged without that part, must be unexplained.

use model::{Checkpoint, Entry, Moment, Part};

/// The most of what was occupied that may be unexplained at any checkpoint.
pub const UNEXPLAINED: f64 = 0.02;

/// The name of the assertion, and that of its control.
pub const LEDGER: &str = "ledger";
/// What is kept back.
pub const HIDDEN: &str = "largest part kept back";

/// Below that, in KiB, an object occupies so little that single pages would be a notable part of it.
const OBJECT_KIB: i64 = 1024;

/// The largest unexplained share of what was occupied at any checkpoint whose ledger is written;
/// `None` of an object that occupied next to nothing.
pub fn unexplained(checkpoints: &[Checkpoint]) -> Option<f64> {
    let occupied = checkpoints.iter().find(|c| c.name == Moment::Built)?;
    let entries = checkpoints.iter().flat_map(|c| &c.ledger);
    let unexplained = entries.filter(|entry| entry.name == Entry::UNEXPLAINED);
    let most = unexplained.map(|entry| entry.kib.abs()).max()?;
    (occupied.kept_kib >= OBJECT_KIB).then(|| most as f64 / occupied.kept_kib as f64)
}

/// The same run with ledgers of an account that keeps back its largest part.
pub fn keeping_back(parts: &[Part], checkpoints: &[Checkpoint]) -> Vec<Checkpoint> {
    let figures = checkpoints.iter().flat_map(|c| &c.account.parts);
    let told = figures.filter(|figure| parts.iter().any(|part| part.name == figure.name));
    let largest = told.max_by_key(|figure| figure.value);
    let others = parts
        .iter()
        .filter(|part| Some(&part.name) != largest.map(|figure| &figure.name));
    let ledgers = oracle::ledgers(&others.cloned().collect::<Vec<_>>(), checkpoints);
    let mut checkpoints = checkpoints.to_vec();
    for (checkpoint, ledger) in checkpoints.iter_mut().zip(ledgers) {
        checkpoint.ledger = ledger;
    }
    checkpoints
}

/// What the control changed, in a line; `None` where the assertion still holds.
pub fn change(parts: &[Part], checkpoints: &[Checkpoint]) -> Option<String> {
    let hidden = unexplained(&keeping_back(parts, checkpoints))?;
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    (hidden > UNEXPLAINED).then(|| {
        let usual = unexplained(checkpoints).map_or("-".to_owned(), percent);
        format!("unexplained: {usual} -> {}", percent(hidden))
    })
}
