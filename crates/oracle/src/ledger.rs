//! Where every resident byte of a checkpoint is.
//!
//! ```text
//! anonymous + swap = alive + rounding + the allocators' free memory and records
//!                  + lazily freed + rest of the process + unexplained
//! rest             = the same sum at the baseline, less free memory, records and lazily freed of then
//! alive + rounding = what the blocks in use have grown by since the baseline
//! ```
//!
//! The kernel's figures are read from outside and the parts from inside, so that the sum need not come
//! out: what is left over is an entry of its own, and at the baseline it is nothing. Pages that were
//! freed lazily are still resident to `mincore`, by which subjects look: what the parts then claim
//! beyond the sum is taken out of free memory again.

use model::{Checkpoint, Entry, Holds, Moment, Part};

use crate::thresholds::EXPLAINABLE_KIB;

/// Writes the ledger of each checkpoint; `parts` says what the figures of their accounts are.
pub fn write_ledgers(parts: &[Part], checkpoints: &mut [Checkpoint]) {
    let Some(baseline) = checkpoints.first().cloned() else {
        return;
    };
    let baseline = Split::of(parts, &baseline);
    for checkpoint in checkpoints {
        checkpoint.ledger = ledger(parts, &baseline, checkpoint);
    }
}

fn ledger(parts: &[Part], baseline: &Split, checkpoint: &Checkpoint) -> Vec<Entry> {
    let mut now = Split::of(parts, checkpoint);
    let rest = baseline.rest();
    // Where less is in use than at the baseline, the rest of the process has shrunk.
    let grown = now.blocks - baseline.blocks;
    let (grown, shrunk) = (grown.max(0), grown.min(0));
    let left_over = |now: &Split| now.rest() - rest - shrunk - grown;
    now.forget_lazily_freed(-left_over(&now));
    // A block that the program never wrote to is alive and not resident; and where no account counts
    // the blocks in use, what is alive is among what is left over.
    let live = checkpoint.live_bytes as i64;
    let uncounted = match checkpoint.account.allocated_bytes {
        None => left_over(&now).clamp(0, (live - grown).max(0)),
        Some(_) => 0,
    };
    let alive = (grown + uncounted).min(live);

    let of_blocks = sources(parts, Holds::Blocks);
    let mut entries = vec![
        entry(
            Entry::ALIVE,
            alive,
            "the scenario: what it asked for and holds",
        ),
        entry(
            Entry::ROUNDING,
            grown + uncounted - alive,
            &format!("{of_blocks}; less what is alive, and less the baseline's"),
        ),
    ];
    entries.extend(
        now.others
            .iter()
            .map(|(part, bytes)| entry(&part.name, *bytes, &part.source)),
    );
    entries.push(entry(
        Entry::LAZILY_FREED,
        now.lazily_freed,
        "smaps_rollup: LazyFree",
    ));
    let source = "what the kernel counted at the baseline, less the allocators' figures of then";
    entries.push(entry(Entry::REST, rest + shrunk, source));
    let found: i64 = entries.iter().map(|entry| entry.kib).sum();
    entries.push(Entry {
        kib: now.total / 1024 - found,
        ..entry(
            Entry::UNEXPLAINED,
            0,
            "what the kernel counts, less all of the above",
        )
    });
    entries
}

/// One checkpoint's bytes, by who answers for them.
struct Split<'a> {
    /// What the kernel counts, and the ledger divides up.
    total: i64,
    blocks: i64,
    /// The parts that are no blocks.
    others: Vec<(&'a Part, i64)>,
    lazily_freed: i64,
}

impl<'a> Split<'a> {
    /// A part that was not introduced is in none of them: what is there remains unexplained.
    fn of(parts: &'a [Part], checkpoint: &Checkpoint) -> Split<'a> {
        let memory = checkpoint.memory;
        let bytes = |part: &Part| {
            let mut figures = checkpoint.account.parts.iter();
            let figure = figures.find(|figure| figure.name == part.name);
            figure.map_or(0, |figure| figure.value as i64)
        };
        let (blocks, others): (Vec<_>, Vec<_>) = parts
            .iter()
            .map(|part| (part, bytes(part)))
            .partition(|(part, _)| part.holds == Holds::Blocks);
        let mut split = Split {
            total: (memory.anonymous_kib + memory.swap_kib) as i64 * 1024,
            blocks: blocks.iter().map(|(_, bytes)| bytes).sum(),
            others,
            lazily_freed: memory.lazy_kib as i64 * 1024,
        };
        split.forget_lazily_freed(-split.rest());
        split
    }

    /// What is neither free memory, nor records, nor lazily freed.
    fn rest(&self) -> i64 {
        let others: i64 = self.others.iter().map(|(_, bytes)| bytes).sum();
        self.total - others - self.lazily_freed
    }

    /// Takes so much, but no more than was freed lazily, out of free memory, the largest part first.
    fn forget_lazily_freed(&mut self, excess: i64) {
        let mut excess = excess.clamp(0, self.lazily_freed);
        let free = self
            .others
            .iter_mut()
            .filter(|(part, _)| part.holds == Holds::Free);
        let mut free: Vec<_> = free.collect();
        free.sort_by_key(|(_, bytes)| -bytes);
        for (_, bytes) in free {
            let taken = excess.min(*bytes);
            *bytes -= taken;
            excess -= taken;
        }
    }
}

/// The largest unexplained share of what was occupied at any checkpoint; `None` of an object that
/// occupied less than [`EXPLAINABLE_KIB`], or without ledgers.
pub fn unexplained(checkpoints: &[Checkpoint]) -> Option<f64> {
    let built = checkpoints.iter().find(|c| c.name == Moment::Built)?;
    let entries = checkpoints.iter().flat_map(|c| &c.ledger);
    let unexplained = entries.filter(|entry| entry.name == Entry::UNEXPLAINED);
    let most_kib = unexplained.map(|entry| entry.kib.saturating_abs()).max()?;
    (built.kept_kib >= EXPLAINABLE_KIB).then(|| most_kib as f64 / built.kept_kib as f64)
}

fn entry(name: &str, bytes: i64, source: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        kib: bytes / 1024,
        source: source.to_owned(),
    }
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
    use model::Figure;

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

    fn ledgers(parts: &[Part], run: &[Checkpoint]) -> Vec<Vec<Entry>> {
        let mut run = run.to_vec();
        write_ledgers(parts, &mut run);
        run.into_iter()
            .map(|checkpoint| checkpoint.ledger)
            .collect()
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
    fn parts_that_nobody_introduced_stay_unexplained() {
        let mut run = [
            moment(Moment::Baseline, 500, 0, 0, 0),
            moment(Moment::Dropped, 900, 0, 0, 0),
        ];
        let mystery = Figure::new("mystery", 400 * 1024);
        run[1].account.parts.push(mystery);
        let ledger = &ledgers(&PARTS, &run)[1];
        assert_eq!(kib(ledger, Entry::UNEXPLAINED), 400);
    }

    #[test]
    fn lazily_freed_pages_are_counted_once_whether_the_account_has_them_or_not() {
        for claimed in [600, 0] {
            let mut run = [
                moment(Moment::Baseline, 500, 0, 50, 0),
                moment(Moment::Dropped, 1_100, 0, 50 + claimed, 0),
            ];
            run[1].memory.lazy_kib = 600;
            let ledger = &ledgers(&PARTS, &run)[1];
            assert_eq!(kib(ledger, Entry::LAZILY_FREED), 600);
            assert_eq!(kib(ledger, "bins"), 50);
            assert_eq!(kib(ledger, Entry::UNEXPLAINED), 0);
        }
    }

    #[test]
    fn lazily_freed_pages_of_the_baseline_are_no_rest() {
        let mut run = [
            moment(Moment::Baseline, 500, 0, 0, 0),
            moment(Moment::Dropped, 500, 0, 0, 0),
        ];
        run[0].memory.lazy_kib = 100;
        assert_eq!(kib(&ledgers(&PARTS, &run)[0], Entry::UNEXPLAINED), 0);
        assert_eq!(kib(&ledgers(&PARTS, &run)[1], Entry::UNEXPLAINED), 100);
    }

    #[test]
    fn what_is_alive_is_known_without_an_account() {
        let mut run = [
            moment(Moment::Baseline, 500, 0, 0, 0),
            moment(Moment::Built, 1_800, 0, 0, 1_000),
        ];
        for checkpoint in &mut run {
            checkpoint.account.parts.clear();
        }
        let ledger = &ledgers(&[], &run)[1];
        assert_eq!(kib(ledger, Entry::ALIVE), 1_000);
        assert_eq!(kib(ledger, Entry::UNEXPLAINED), 300);
    }
}
