//! The third assertion, which needs no snapshot: every resident byte has its place in the ledger.
//!
//! Its control is a false account: the same run, judged as if the part that holds most had been kept
//! back, and as if it had been claimed twice. Where the drop left something that is free memory's;
//! where everything came back, that of the blocks when the object was alive.

use model::{Checkpoint, Holds, Moment, Part};

/// The most of what was occupied that may be unexplained at any checkpoint.
pub const UNEXPLAINED: f64 = 0.02;

/// The name of the assertion, and that of its control.
pub const LEDGER: &str = "ledger";
/// The largest part kept back, and claimed twice.
pub const FALSE_ACCOUNT: &str = "false account";

/// What the control changed, in a line; `None` where the assertion still holds of one of the two, or
/// is not made, since the object occupied next to nothing.
pub fn change(parts: &[Part], checkpoints: &[Checkpoint]) -> Option<String> {
    let usual = oracle::unexplained(checkpoints)?;
    let kept_back = falsified(parts, checkpoints, 0)?;
    let twice = falsified(parts, checkpoints, 2)?;
    (kept_back.min(twice) > UNEXPLAINED).then(|| {
        let [usual, kept_back, twice] = [usual, kept_back, twice].map(|share| share * 100.0);
        format!("unexplained: {usual:.1} % -> {kept_back:.1} %, {twice:.1} %")
    })
}

/// The unexplained share where the largest part claims so many times what it holds.
fn falsified(parts: &[Part], checkpoints: &[Checkpoint], times: u64) -> Option<f64> {
    let (at, part) = largest(parts, checkpoints)?;
    let mut checkpoints = checkpoints.to_vec();
    let mut figures = checkpoints[at].account.parts.iter_mut();
    figures.find(|figure| figure.name == part.name)?.value *= times;
    oracle::write_ledgers(parts, &mut checkpoints);
    oracle::unexplained(&checkpoints)
}

/// The largest free part after a drop, or, where that is next to nothing, the largest of all when the
/// object was alive; and the checkpoint.
fn largest<'a>(parts: &'a [Part], checkpoints: &[Checkpoint]) -> Option<(usize, &'a Part)> {
    let occupied_kib = checkpoints
        .iter()
        .find(|c| c.name == Moment::Built)?
        .kept_kib;
    let notable = (UNEXPLAINED * 1024.0 * occupied_kib as f64 * 2.0) as u64;
    let largest = |moment, holds| {
        let at = checkpoints
            .iter()
            .enumerate()
            .filter(|(_, c)| c.name == moment);
        let held = at.flat_map(|(at, checkpoint)| {
            let figures = checkpoint.account.parts.iter();
            figures.filter_map(move |figure| {
                let part = parts.iter().find(|part| part.name == figure.name)?;
                (part.holds == holds).then_some((figure.value, at, part))
            })
        });
        held.max_by_key(|(bytes, ..)| *bytes)
    };
    let free = largest(Moment::Dropped, Holds::Free).filter(|(bytes, ..)| *bytes > notable);
    let (_, at, part) = free.or_else(|| largest(Moment::Built, Holds::Blocks))?;
    Some((at, part))
}
