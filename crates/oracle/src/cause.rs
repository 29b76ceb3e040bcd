//! Why memory stays: the parts that hold it after the last drop, what keeps them there, and what
//! happened to them since, in one sentence.
//!
//! ```text
//! excess = kept after the last drop - survivors
//! holder = a part of the ledger that has grown since the baseline by NOTABLE of the excess
//! ```
//!
//! The parts' own descriptions say what would move them; this file says which parts they are, by how
//! much, and whether the run bears it out. What is in no part is not explained away: where it is the
//! most of the excess, the cause says that the evidence does not suffice.

use model::figures::{duration, mebibytes, thousands};
use model::{Cause, Checkpoint, Entry, Evidence, Figure, Holds, Moment, Part, Returns, Verdict};

use crate::thresholds::{NEGLIGIBLE_KIB, NOTABLE};

/// The cause behind `verdict`, of checkpoints whose ledgers are written. `parts` says what the
/// figures of their accounts are, and `release_call` how the allocator was asked, if it can be. `None`
/// where there is no drop to explain.
pub fn cause(
    parts: &[Part],
    release_call: Option<&str>,
    checkpoints: &[Checkpoint],
    verdict: &Verdict,
) -> Option<Cause> {
    let round = verdict.round;
    let last = |moment| {
        let mut latest = checkpoints.iter().rev();
        latest.find(|c| (c.name, c.round) == (moment, round))
    };
    let inquiry = Inquiry {
        parts,
        release_call,
        verdict,
        baseline: checkpoints.first()?,
        dropped: last(Moment::Dropped)?,
        idled: last(Moment::Idle),
        worked: last(Moment::Active),
        released: last(Moment::Released),
        last_drop: checkpoints.iter().rfind(|c| c.name == Moment::Dropped)?,
        clauses: Vec::new(),
        evidence: Vec::new(),
    };
    Some(inquiry.conclude())
}

/// The run, and what has been found out so far.
struct Inquiry<'a> {
    parts: &'a [Part],
    release_call: Option<&'a str>,
    verdict: &'a Verdict,
    baseline: &'a Checkpoint,
    dropped: &'a Checkpoint,
    idled: Option<&'a Checkpoint>,
    worked: Option<&'a Checkpoint>,
    released: Option<&'a Checkpoint>,
    last_drop: &'a Checkpoint,
    clauses: Vec<String>,
    evidence: Vec<Evidence>,
}

impl<'a> Inquiry<'a> {
    fn conclude(mut self) -> Cause {
        if self.verdict.returns == Returns::AtOnce {
            self.nothing_is_kept();
        } else {
            self.name_the_holders();
            self.tell_of_later_rounds();
            self.tell_of_idling();
            self.tell_of_the_end();
        }
        Cause {
            sentence: sentence(&self.clauses),
            evidence: self.evidence,
        }
    }

    fn nothing_is_kept(&mut self) {
        let kept = self.dropped.kept_kib;
        let occupied = self.verdict.occupied_kib;
        self.note("occupied", occupied, "built 1".to_owned(), KEPT);
        let given = mebibytes((occupied - kept).max(0));
        let of = mebibytes(occupied.max(0));
        self.clauses.push(match self.verdict.survivors_kib {
            _ if occupied < NEGLIGIBLE_KIB => format!("no more than {of} was held at a time"),
            0 => format!("{given} of {of} went back in the drop"),
            alive => format!(
                "{given} of {of} went back in the drop, beside {} that are alive",
                mebibytes(alive)
            ),
        });
    }

    /// The parts that hold what is kept, the largest first.
    fn name_the_holders(&mut self) {
        let excess = self.excess(self.dropped);
        let alive = self.dropped.live_bytes;
        self.evidence.push(Evidence {
            name: "alive_bytes".to_owned(),
            value: alive as i64,
            when: place(self.dropped),
            source: "the scenario".to_owned(),
        });
        let holders = grown(self.baseline, self.dropped, self.verdict);
        for (entry, _) in &holders {
            self.note(&entry.name, entry.kib, place(self.dropped), &entry.source);
        }
        let alive = match alive {
            0 => "with nothing alive".to_owned(),
            1..1024 => format!("beside {alive} bytes that are alive"),
            _ => format!(
                "beside {} that are alive",
                mebibytes(self.verdict.survivors_kib)
            ),
        };
        let kept = format!("{} are kept {alive}", mebibytes(excess));
        self.clauses.push(match holders.first() {
            None => format!("{kept}, and the evidence does not suffice: no part of the account has grown by a notable share of that"),
            Some((first, kib)) if first.name == Entry::UNEXPLAINED => format!("{kept}, and the evidence does not suffice: {} are in no part of the account", mebibytes(*kib)),
            Some(_) => {
                let told = holders.iter().map(|(entry, kib)| {
                    let because = self.because(&entry.name);
                    held(entry, *kib) + &because
                });
                format!("{kept}: {}", told.collect::<Vec<_>>().join("; "))
            }
        });
    }

    /// What building and dropping again did, where that is what returned it.
    fn tell_of_later_rounds(&mut self) {
        if self.last_drop.round > self.dropped.round {
            let moved = self.moved(self.dropped, self.last_drop, "returned in later rounds");
            let moved = mebibytes(moved);
            self.clauses
                .push(format!("building and dropping again returned {moved}"));
        }
    }

    /// What the clock alone did, and what the allocator counted meanwhile.
    fn tell_of_idling(&mut self) {
        let Some(idled) = self.idled else { return };
        let moved = self.moved(self.dropped, idled, "returned while idle");
        let counted = self.counted(self.dropped, idled);
        let time = duration(idled.clock_ms - self.dropped.clock_ms);
        if moved as f64 >= NOTABLE * self.excess(self.dropped) as f64 {
            let moved = mebibytes(moved);
            self.clauses
                .push(format!("{time} without a call returned {moved}"));
        } else if !counted.is_empty() {
            self.clauses
                .push(format!("in {time} without a call: {}", counted.join(", ")));
        }
    }

    /// What activity and the request did; and where the rest is, if they did not do.
    fn tell_of_the_end(&mut self) {
        let (Some(idled), Some(worked)) = (self.idled, self.worked) else {
            return;
        };
        self.moved(idled, worked, "returned on activity");
        self.counted(idled, worked);
        let (end, done) = match self.released {
            Some(released) => (released, self.release_call.unwrap_or("the request")),
            None => (worked, "ordinary traffic"),
        };
        if end.name == Moment::Released {
            self.moved(worked, end, "returned on request");
        }
        if self.verdict.returns > Returns::OnRequest {
            self.tell_of_the_rest(end, done);
        }
    }

    /// What is left in the end, and where.
    fn tell_of_the_rest(&mut self, end: &'a Checkpoint, done: &str) {
        let holders = grown(self.baseline, end, self.verdict);
        let still: Vec<String> = holders
            .iter()
            .map(|(entry, kib)| held(entry, *kib))
            .collect();
        for (entry, _) in holders {
            self.note(&entry.name, entry.kib, place(end), &entry.source);
        }
        let left = mebibytes(self.excess(end));
        self.clauses.push(match still.is_empty() {
            true => format!("{done} leaves {left}"),
            false => format!("{done} leaves {left}: {}", still.join(", ")),
        });
    }

    /// What went back in between, KiB, noted as evidence.
    fn moved(&mut self, from: &'a Checkpoint, to: &'a Checkpoint, name: &str) -> i64 {
        let moved = from.kept_kib - to.kept_kib;
        self.note(name, moved, span(from, to), KEPT);
        moved
    }

    /// What the allocator's counters did in between.
    fn counted(&mut self, from: &'a Checkpoint, to: &'a Checkpoint) -> Vec<String> {
        let mut told = Vec::new();
        for Figure { name, value } in &to.account.counters {
            let earlier = from.account.counters.iter().find(|c| c.name == *name);
            let Some(earlier) = earlier else { continue };
            let more = value - earlier.value.min(*value);
            told.push(format!("{} {name}", thousands(more)));
            self.evidence.push(Evidence {
                name: name.replace(' ', "_"),
                value: more as i64,
                when: span(from, to),
                source: "the allocator's counter".to_owned(),
            });
        }
        told
    }

    /// What keeps a part where it is, as the end of a clause.
    fn because(&self, name: &str) -> String {
        let part = self.parts.iter().find(|part| part.name == name);
        match part {
            Some(part) if part.holds != Holds::Blocks => format!(", {}", part.because),
            _ => String::new(),
        }
    }

    fn excess(&self, checkpoint: &Checkpoint) -> i64 {
        excess(checkpoint, self.verdict)
    }

    fn note(&mut self, name: &str, kib: i64, when: String, source: &str) {
        self.evidence.push(Evidence {
            name: format!("{}_kib", name.replace(' ', "_")),
            value: kib,
            when,
            source: source.to_owned(),
        });
    }
}

/// `80.0 MiB in fastbins`
fn held(entry: &Entry, kib: i64) -> String {
    match entry.name.as_str() {
        Entry::UNEXPLAINED => format!("{} unexplained", mebibytes(kib)),
        name => format!("{} in {name}", mebibytes(kib)),
    }
}

/// One sentence out of these clauses.
fn sentence(clauses: &[String]) -> String {
    let mut text = clauses.join("; ") + ".";
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The parts in which the drop that the verdict is about left its memory, the largest first; none
/// where it left next to nothing. The ledgers of the checkpoints are written.
pub fn holders(checkpoints: &[Checkpoint], verdict: &Verdict) -> Vec<String> {
    let dropped = (Moment::Dropped, verdict.round);
    let mut all = checkpoints.iter();
    match (
        checkpoints.first(),
        all.find(|c| (c.name, c.round) == dropped),
    ) {
        (Some(baseline), Some(dropped)) if verdict.returns != Returns::AtOnce => {
            let entries = grown(baseline, dropped, verdict);
            entries
                .into_iter()
                .map(|(entry, _)| entry.name.clone())
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The entries that hold a notable share of what is kept at this checkpoint, the largest first,
/// each with what it has grown by since the baseline.
fn grown<'a>(
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
        .filter(|entry| entry.name != Entry::ALIVE)
        .map(|entry| (entry, entry.kib - before(&entry.name)))
        .filter(|(_, grown)| *grown > 0 && *grown as f64 >= notable_kib)
        .collect();
    grown.sort_by_key(|(_, grown)| -grown);
    grown
}

/// What is kept beyond the survivors, KiB.
fn excess(checkpoint: &Checkpoint, verdict: &Verdict) -> i64 {
    checkpoint.kept_kib - verdict.survivors_kib
}

const KEPT: &str = "smaps_rollup: Anonymous + Swap - LazyFree";

/// `dropped 2`, `idle 60000`
fn place(checkpoint: &Checkpoint) -> String {
    let name = checkpoint.name.name();
    match checkpoint.name {
        Moment::Idle | Moment::Active => format!("{name} {}", checkpoint.clock_ms),
        _ => format!("{name} {}", checkpoint.round),
    }
}

fn span(from: &Checkpoint, to: &Checkpoint) -> String {
    format!("{} to {}", place(from), place(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::checkpoint;
    use crate::{judge, ledgers};

    const PARTS: [Part; 3] = [
        Part::new("blocks", Holds::Blocks, "allocated", ""),
        Part::new(
            "bins",
            Holds::Free,
            "counter of bins",
            "which nobody empties",
        ),
        Part::new(
            "caches",
            Holds::Free,
            "counter of caches",
            "which a thread keeps",
        ),
    ];

    /// Of 100 MiB, so many in bins and in caches after the drop, while idle, after activity and
    /// after the request; and so many KiB alive from the drop on.
    fn run(after: [[u64; 2]; 4], alive_kib: u64) -> Vec<Checkpoint> {
        let moments = [
            (Moment::Baseline, 0, [0, 0], 0),
            (Moment::Built, 0, [0, 0], 100 << 10),
            (Moment::Dropped, 0, after[0], alive_kib),
            (Moment::Idle, 60_000, after[1], alive_kib),
            (Moment::Active, 120_000, after[2], alive_kib),
            (Moment::Released, 120_000, after[3], alive_kib),
        ];
        let run = moments.map(|(name, clock_ms, [bins, caches], alive)| {
            let held = ((bins + caches) << 10) + alive;
            let round = u32::from(name != Moment::Baseline);
            let mut checkpoint = checkpoint(name, round, clock_ms, held as i64);
            checkpoint.memory.anonymous_kib = 500 + held;
            checkpoint.live_bytes = alive << 10;
            let parts = [
                ("blocks", alive << 10),
                ("bins", bins << 20),
                ("caches", caches << 20),
            ];
            checkpoint.account.parts = parts.map(|(n, v)| Figure::new(n, v)).into_iter().collect();
            let ticks = Figure::new("ticks", if clock_ms > 60_000 { 12 } else { 5 });
            checkpoint.account.counters.push(ticks);
            checkpoint
        });
        run.into()
    }

    fn concluded(mut run: Vec<Checkpoint>) -> Cause {
        let ledgers = ledgers(&PARTS, &run);
        for (checkpoint, ledger) in run.iter_mut().zip(ledgers) {
            checkpoint.ledger = ledger;
        }
        cause(&PARTS, Some("purge()"), &run, &judge(&run).unwrap()).unwrap()
    }

    #[track_caller]
    fn check(after: [[u64; 2]; 4], alive_kib: u64, sentence: &str) {
        assert_eq!(concluded(run(after, alive_kib)).sentence, sentence);
    }

    #[test]
    fn the_part_that_holds_it_is_named_with_what_keeps_it_there() {
        check(
            [[80, 0], [80, 0], [0, 0], [0, 0]],
            0,
            "80.0 MiB are kept with nothing alive: 80.0 MiB in bins, which nobody empties; \
             in 60 s without a call: 0 ticks.",
        );
    }

    #[test]
    fn small_parts_are_left_out_and_others_stand_by_size() {
        check(
            [[20, 60], [20, 60], [0, 0], [0, 0]],
            0,
            "80.0 MiB are kept with nothing alive: 60.0 MiB in caches, which a thread keeps; \
             20.0 MiB in bins, which nobody empties; in 60 s without a call: 0 ticks.",
        );
        let cause = concluded(run([[5, 60], [5, 60], [0, 0], [0, 0]], 0));
        assert!(!cause.sentence.contains("bins"), "{}", cause.sentence);
    }

    #[test]
    fn what_neither_activity_nor_the_request_returned_is_found_again_at_the_end() {
        check(
            [[80, 0], [80, 0], [70, 0], [60, 0]],
            2 << 10,
            "80.0 MiB are kept beside 2.0 MiB that are alive: 80.0 MiB in bins, which nobody \
             empties; in 60 s without a call: 0 ticks; purge() leaves 60.0 MiB: 60.0 MiB in bins.",
        );
    }

    #[test]
    fn what_the_clock_returns_is_told() {
        check(
            [[80, 0], [0, 0], [0, 0], [0, 0]],
            0,
            "80.0 MiB are kept with nothing alive: 80.0 MiB in bins, which nobody empties; \
             60 s without a call returned 80.0 MiB.",
        );
    }

    #[test]
    fn nothing_kept_needs_no_culprit() {
        check(
            [[1, 0], [1, 0], [1, 0], [1, 0]],
            0,
            "99.0 MiB of 100.0 MiB went back in the drop.",
        );
    }

    #[test]
    fn where_the_account_does_not_tell_the_cause_says_so() {
        let mut silent = run([[80, 0]; 4], 0);
        for checkpoint in &mut silent {
            checkpoint.account.parts.clear();
        }
        let cause = concluded(silent);
        assert_eq!(
            cause.sentence,
            "80.0 MiB are kept with nothing alive, and the evidence does not suffice: 80.0 MiB \
             are in no part of the account; in 60 s without a call: 0 ticks; purge() leaves \
             80.0 MiB: 80.0 MiB unexplained."
        );
    }

    #[test]
    fn evidence_names_figures_checkpoints_and_counters() {
        let cause = concluded(run([[80, 0], [80, 0], [0, 0], [0, 0]], 0));
        let bins = cause
            .evidence
            .iter()
            .find(|e| e.name == "bins_kib")
            .unwrap();
        assert_eq!((bins.value, &*bins.when), (80 << 10, "dropped 1"));
        assert_eq!(bins.source, "counter of bins");
        let ticks: Vec<_> = cause
            .evidence
            .iter()
            .filter(|e| e.name == "ticks")
            .collect();
        assert_eq!(ticks.iter().map(|e| e.value).collect::<Vec<_>>(), [0, 7]);
        assert_eq!(ticks[1].when, "idle 60000 to active 120000");
    }

    #[test]
    fn what_the_next_round_returned_is_explained_by_the_drop_that_kept_it() {
        let mut run = run([[80, 0], [80, 0], [80, 0], [80, 0]], 0);
        run.truncate(3);
        let mut second = self::run([[0, 0]; 4], 0).split_off(1);
        for checkpoint in &mut second {
            checkpoint.round = 2;
        }
        run.extend(second);
        assert_eq!(
            concluded(run).sentence,
            "80.0 MiB are kept with nothing alive: 80.0 MiB in bins, which nobody empties; \
             building and dropping again returned 80.0 MiB."
        );
    }
}
