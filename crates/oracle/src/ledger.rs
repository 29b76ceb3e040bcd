//! Where every resident byte of a checkpoint is.
//!
//! ```text
//! anonymous + swap = alive + rounding + the allocators' free memory and records
//!                  + lazily freed + rest of the process + unexplained
//! rest             = the same sum at the baseline, less free memory and records of then
//! alive + rounding = what the blocks in use have grown by since the baseline
//! ```
//!
//! The kernel's figures and the allocators' are taken from different sides, so that the sum need not
//! come out: what is left over is an entry of its own, and at the baseline it is nothing.

use model::{Checkpoint, Entry, Holds, Part};

/// The ledger of each checkpoint; `parts` says what the figures of their accounts are.
pub fn ledgers(parts: &[Part], checkpoints: &[Checkpoint]) -> Vec<Vec<Entry>> {
    let Some(baseline) = checkpoints.first() else {
        return Vec::new();
    };
    checkpoints
        .iter()
        .map(|checkpoint| ledger(parts, baseline, checkpoint))
        .collect()
}

fn ledger(parts: &[Part], baseline: &Checkpoint, checkpoint: &Checkpoint) -> Vec<Entry> {
    let blocks = |c: &Checkpoint| bytes(parts, c, |part| part.holds == Holds::Blocks);
    let others = |c: &Checkpoint| bytes(parts, c, |part| part.holds != Holds::Blocks);
    let rest = total_bytes(baseline) - others(baseline);
    // Where less is in use than at the baseline, the rest of the process has shrunk.
    let grown = blocks(checkpoint) - blocks(baseline);
    let (grown, shrunk) = (grown.max(0), grown.min(0));
    // A block that the program never wrote to is alive and not resident.
    let alive = grown.min(checkpoint.live_bytes as i64);
    let mut entries = vec![
        entry(
            Entry::ALIVE,
            alive,
            "the scenario: what it asked for and holds",
        ),
        entry(
            Entry::ROUNDING,
            grown - alive,
            &format!(
                "{}; less what is alive, and less the baseline's",
                sources(parts, Holds::Blocks)
            ),
        ),
    ];
    for part in parts.iter().filter(|part| part.holds != Holds::Blocks) {
        let is_this = |other: &Part| other.name == part.name;
        entries.push(entry(
            &part.name,
            bytes(parts, checkpoint, is_this),
            &part.source,
        ));
    }
    let lazily_freed = checkpoint.memory.lazy_kib as i64 * 1024;
    entries.push(entry(
        Entry::LAZILY_FREED,
        lazily_freed,
        "smaps_rollup: LazyFree",
    ));
    entries.push(entry(
        Entry::REST,
        rest + shrunk,
        "smaps_rollup at the baseline, less the allocators' figures of then",
    ));
    let found: i64 = entries.iter().map(|entry| entry.kib).sum();
    let unexplained = total_bytes(checkpoint) / 1024 - found;
    entries.push(Entry {
        kib: unexplained,
        ..entry(
            Entry::UNEXPLAINED,
            0,
            "smaps_rollup: Anonymous + Swap, less all of the above",
        )
    });
    entries
}

fn entry(name: &str, bytes: i64, source: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        kib: bytes / 1024,
        source: source.to_owned(),
    }
}

/// What the kernel counts, which the ledger divides up.
fn total_bytes(checkpoint: &Checkpoint) -> i64 {
    let memory = checkpoint.memory;
    (memory.anonymous_kib + memory.swap_kib) as i64 * 1024
}

/// The sum of those parts of the account that `chosen` accepts. A part that was not introduced is
/// in none: what is there remains unexplained.
fn bytes(parts: &[Part], checkpoint: &Checkpoint, chosen: impl Fn(&Part) -> bool) -> i64 {
    let figures = checkpoint.account.parts.iter();
    let chosen = figures.filter(|figure| {
        parts
            .iter()
            .any(|part| part.name == figure.name && chosen(part))
    });
    chosen.map(|figure| figure.value as i64).sum()
}

fn sources(parts: &[Part], holds: Holds) -> String {
    let sources = parts.iter().filter(|part| part.holds == holds);
    let sources: Vec<&str> = sources.map(|part| &*part.source).collect();
    match sources.as_slice() {
        [] => "the allocator tells nothing".to_owned(),
        sources => sources.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
}
