//! The parts of a ledger that hold what is kept.
//!
//! ```text
//! excess = kept after the last drop - survivors
//! holder = a part of the ledger that has grown since the baseline by NOTABLE of the excess
//! ```

use model::{Checkpoint, Entry, Moment, Returns, Verdict};

use crate::thresholds::NOTABLE;

/// The part in which the drop that the verdict is about left most; `None` where it left next to
/// nothing, or nothing that is explained. The ledgers of the checkpoints are written.
pub fn holder(checkpoints: &[Checkpoint], verdict: &Verdict) -> Option<String> {
    let dropped = (Moment::Dropped, verdict.round);
    let dropped = checkpoints.iter().find(|c| (c.name, c.round) == dropped)?;
    let holders = grown(checkpoints.first()?, dropped, verdict);
    let (entry, _) = holders
        .first()
        .filter(|_| verdict.returns != Returns::AtOnce)?;
    (!is_unexplained(dropped, verdict)).then(|| entry.name.clone())
}

/// Whether most of what is kept beyond the survivors is unexplained, or more is accounted for than
/// there is: no part is then to be named for it.
pub(crate) fn is_unexplained(checkpoint: &Checkpoint, verdict: &Verdict) -> bool {
    2 * unexplained_kib(checkpoint).abs() > excess(checkpoint, verdict)
}

pub(crate) fn unexplained_kib(checkpoint: &Checkpoint) -> i64 {
    let mut entries = checkpoint.ledger.iter();
    let entry = entries.find(|entry| entry.name == Entry::UNEXPLAINED);
    entry.map_or(0, |entry| entry.kib)
}

/// The entries that hold a notable share of what is kept at this checkpoint, the largest first,
/// each with what it has grown by since the baseline.
pub(crate) fn grown<'a>(
    baseline: &Checkpoint,
    checkpoint: &'a Checkpoint,
    verdict: &Verdict,
) -> Vec<(&'a Entry, i64)> {
    let before = |name: &str| {
        let entry = baseline.ledger.iter().find(|entry| entry.name == name);
        entry.map_or(0, |entry| entry.kib)
    };
    let notable_kib = NOTABLE * excess(checkpoint, verdict) as f64;
    let entries = checkpoint.ledger.iter();
    let mut grown: Vec<(&Entry, i64)> = entries
        .filter(|entry| {
            ![Entry::ALIVE, Entry::LAZILY_FREED, Entry::UNEXPLAINED].contains(&&*entry.name)
        })
        .map(|entry| (entry, entry.kib - before(&entry.name)))
        .filter(|(_, grown)| *grown > 0 && *grown as f64 >= notable_kib)
        .collect();
    grown.sort_by_key(|(_, grown)| -grown);
    grown
}

/// What is kept beyond the survivors, KiB.
pub(crate) fn excess(checkpoint: &Checkpoint, verdict: &Verdict) -> i64 {
    checkpoint.kept_kib - verdict.survivors_kib
}
