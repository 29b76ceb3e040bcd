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
    use model::{Figure, Moment};

    use super::*;
    use crate::fixture::checkpoint;

    const PARTS: [Part; 2] = [
        Part::new("blocks", Holds::Blocks, "allocated", ""),
        Part::new("bins", Holds::Free, "free", "because"),
    ];

    /// A checkpoint at which so many KiB are resident, in these parts, with so many KiB alive.
    fn moment(name: Moment, resident: u64, blocks: u64, bins: u64, live: u64) -> Checkpoint {
        let mut checkpoint = checkpoint(name, 1, 0, 0);
        checkpoint.memory.anonymous_kib = resident;
        checkpoint.live_bytes = live * 1024;
        let parts = [("blocks", blocks), ("bins", bins)];
        checkpoint.account.parts = parts
            .map(|(n, kib)| Figure::new(n, kib * 1024))
            .into_iter()
            .collect();
        checkpoint
    }

    fn kib(entries: &[Entry], name: &str) -> i64 {
        let entry = entries.iter().find(|entry| entry.name == name);
        entry.expect("an entry of this name").kib
    }

    #[test]
    fn every_resident_byte_is_in_one_entry() {
        let run = [
            moment(Moment::Baseline, 500, 20, 80, 0),
            moment(Moment::Built, 2_000, 1_220, 280, 1_000),
            moment(Moment::Dropped, 2_000, 20, 1_480, 0),
        ];
        for (checkpoint, ledger) in run.iter().zip(ledgers(&PARTS, &run)) {
            let sum: i64 = ledger.iter().map(|entry| entry.kib).sum();
            assert_eq!(sum, checkpoint.memory.anonymous_kib as i64);
        }
        let built = &ledgers(&PARTS, &run)[1];
        assert_eq!(kib(built, Entry::ALIVE), 1_000);
        assert_eq!(kib(built, Entry::ROUNDING), 200);
        assert_eq!(kib(built, "bins"), 280);
        assert_eq!(kib(built, Entry::REST), 420, "500 - 80");
        assert_eq!(kib(built, Entry::UNEXPLAINED), 100);
    }

    #[test]
    fn the_baseline_explains_itself() {
        let run = [moment(Moment::Baseline, 500, 20, 80, 0)];
        assert_eq!(kib(&ledgers(&PARTS, &run)[0], Entry::UNEXPLAINED), 0);
    }

    #[test]
    fn an_account_that_claims_too_much_or_too_little_shows() {
        let honest = [
            moment(Moment::Baseline, 500, 20, 80, 0),
            moment(Moment::Dropped, 2_000, 20, 1_580, 0),
        ];
        assert_eq!(kib(&ledgers(&PARTS, &honest)[1], Entry::UNEXPLAINED), 0);
        for (claimed, unexplained) in [(790, 790), (3_160, -1_580)] {
            let mut run = honest.clone();
            run[1].account.parts[1].value = claimed * 1024;
            assert_eq!(
                kib(&ledgers(&PARTS, &run)[1], Entry::UNEXPLAINED),
                unexplained
            );
        }
    }

    #[test]
    fn what_is_alive_and_was_never_written_to_is_not_resident() {
        let run = [
            moment(Moment::Baseline, 500, 0, 0, 0),
            moment(Moment::Built, 1_100, 600, 0, 1_000),
        ];
        let ledger = &ledgers(&PARTS, &run)[1];
        assert_eq!(kib(ledger, Entry::ALIVE), 600);
        assert_eq!(kib(ledger, Entry::ROUNDING), 0);
        assert_eq!(kib(ledger, Entry::UNEXPLAINED), 0);
    }

    #[test]
    fn lazily_freed_pages_and_parts_that_nobody_introduced() {
        let mut run = [
            moment(Moment::Baseline, 500, 0, 0, 0),
            moment(Moment::Dropped, 1_500, 0, 0, 0),
        ];
        run[1].memory.lazy_kib = 600;
        run[1]
            .account
            .parts
            .push(Figure::new("mystery", 400 * 1024));
        let ledger = &ledgers(&PARTS, &run)[1];
        assert_eq!(kib(ledger, Entry::LAZILY_FREED), 600);
        assert_eq!(kib(ledger, Entry::UNEXPLAINED), 400);
    }
}
