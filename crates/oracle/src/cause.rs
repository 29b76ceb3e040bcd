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

use crate::find;
use crate::thresholds::NOTABLE;

/// The cause behind `verdict`, of checkpoints whose ledgers are written. `parts` says what the
/// figures of their accounts are, and `release_call` how the allocator was asked. `None` where there
/// is no drop to explain.
pub fn cause(
    parts: &[Part],
    release_call: &str,
    checkpoints: &[Checkpoint],
    verdict: &Verdict,
) -> Option<Cause> {
    let round = checkpoints.last()?.round;
    let inquiry = Inquiry {
        parts,
        release_call,
        verdict,
        baseline: checkpoints.first()?,
        dropped: find(checkpoints, Moment::Dropped, round)?,
        idled: last(checkpoints, Moment::Idle),
        worked: last(checkpoints, Moment::Active),
        released: find(checkpoints, Moment::Released, round),
        clauses: Vec::new(),
        evidence: Vec::new(),
    };
    Some(inquiry.conclude())
}

fn last(checkpoints: &[Checkpoint], moment: Moment) -> Option<&Checkpoint> {
    checkpoints.iter().rfind(|c| c.name == moment)
}

/// The run, and what has been found out so far.
struct Inquiry<'a> {
    parts: &'a [Part],
    release_call: &'a str,
    verdict: &'a Verdict,
    baseline: &'a Checkpoint,
    dropped: &'a Checkpoint,
    idled: Option<&'a Checkpoint>,
    worked: Option<&'a Checkpoint>,
    released: Option<&'a Checkpoint>,
    clauses: Vec<String>,
    evidence: Vec<Evidence>,
}

impl<'a> Inquiry<'a> {
    fn conclude(mut self) -> Cause {
        let kept = self.kept(self.dropped);
        if self.verdict.returns == Returns::AtOnce {
            self.nothing_is_kept(kept);
        } else {
            self.name_the_holders(kept);
            self.tell_of_idling();
            self.tell_of_the_end();
        }
        Cause {
            sentence: self.clauses.join("; ") + ".",
            evidence: self.evidence,
        }
    }

    fn nothing_is_kept(&mut self, kept: i64) {
        let occupied = self.verdict.occupied_kib;
        self.note("occupied", occupied, "built 1".to_owned(), KEPT);
        let given = mebibytes((occupied - kept).max(0));
        self.clauses.push(match self.verdict.survivors_kib {
            _ if occupied < 1024 => format!(
                "Nothing is kept, since no more than {} was held at a time",
                mebibytes(occupied.max(0))
            ),
            0 => format!(
                "Nothing is kept: {given} of {} went back in the drop",
                mebibytes(occupied)
            ),
            survivors => format!(
                "Little is kept beside the {} that are alive: {given} of {} went back in the drop",
                mebibytes(survivors),
                mebibytes(occupied)
            ),
        });
    }

    /// The parts that hold what is kept, the largest first.
    fn name_the_holders(&mut self, kept: i64) {
        let survivors = self.verdict.survivors_kib;
        let excess = kept - survivors;
        let mut grown: Vec<(&'a Entry, i64)> = self
            .dropped
            .ledger
            .iter()
            .filter(|entry| entry.name != Entry::ALIVE)
            .map(|entry| (entry, entry.kib - self.before(&entry.name)))
            .collect();
        grown.sort_by_key(|(_, kib)| -kib);
        let notable = |kib: i64| kib as f64 >= NOTABLE * excess as f64 && kib > 0;
        let holders = || grown.iter().filter(|(_, kib)| notable(*kib));

        if survivors > 0 {
            let when = place(self.dropped);
            self.note(Entry::ALIVE, survivors, when, "the scenario");
        }
        let Some((first, _)) = holders().next() else {
            return self.clauses.push(format!(
                "{} are kept, and the evidence does not suffice: no part of the account has grown by a notable part of it",
                mebibytes(kept)
            ));
        };
        if first.name == Entry::UNEXPLAINED {
            self.note(&first.name, first.kib, place(self.dropped), &first.source);
            return self.clauses.push(format!(
                "{} are kept, and the evidence does not suffice: {} of them are in no part of the allocator's account",
                mebibytes(kept),
                mebibytes(first.kib)
            ));
        }
        let introduction = match survivors {
            0 => format!("Of {} kept, with nothing alive, ", mebibytes(kept)),
            survivors => format!(
                "Beside {} that are alive, {} stay: ",
                mebibytes(survivors),
                mebibytes(excess)
            ),
        };
        let told: Vec<String> = holders()
            .map(|(entry, kib)| {
                let because = self.because(&entry.name);
                let name = &entry.name;
                format!("{} are in {name}{because}", mebibytes(*kib))
            })
            .collect();
        self.clauses.push(introduction + &told.join("; "));
        for (entry, _) in grown.iter().filter(|(_, kib)| notable(*kib)) {
            self.note(&entry.name, entry.kib, place(self.dropped), &entry.source);
        }
    }

    /// What the clock alone did.
    fn tell_of_idling(&mut self) {
        let Some(idled) = self.idled else { return };
        let time = duration(idled.clock_ms - self.dropped.clock_ms);
        let moved = self.kept(self.dropped) - self.kept(idled);
        self.note(
            "returned while idle",
            moved,
            span(self.dropped, idled),
            KEPT,
        );
        let counted = self.counted(self.dropped, idled);
        self.clauses.push(if self.is_notable(moved) {
            format!("{time} without a call returned {}", mebibytes(moved))
        } else {
            format!("{time} without a call changed nothing{counted}")
        });
    }

    /// What activity and the request did.
    fn tell_of_the_end(&mut self) {
        if let (Some(idled), Some(worked)) = (self.idled, self.worked) {
            let moved = self.kept(idled) - self.kept(worked);
            self.note("returned on activity", moved, span(idled, worked), KEPT);
            let counted = self.counted(idled, worked);
            self.clauses.push(if self.is_notable(moved) {
                format!("ordinary traffic returned {}{counted}", mebibytes(moved))
            } else {
                "ordinary traffic did not move it".to_owned()
            });
        }
        let asked = self.verdict.returns >= Returns::OnRequest;
        if let (true, Some(worked), Some(released)) = (asked, self.worked, self.released) {
            let moved = self.kept(worked) - self.kept(released);
            let call = self.release_call;
            self.note("returned on request", moved, span(worked, released), KEPT);
            self.clauses.push(if self.is_notable(moved) {
                format!("{call} returned {}", mebibytes(moved))
            } else {
                format!("{call} did not move it either")
            });
        }
    }

    fn is_notable(&self, kib: i64) -> bool {
        let excess = self.kept(self.dropped) - self.verdict.survivors_kib;
        kib as f64 >= NOTABLE * excess as f64
    }

    /// What the allocator's counters did in between, in brackets; nothing where it has none.
    fn counted(&mut self, from: &'a Checkpoint, to: &'a Checkpoint) -> String {
        let mut told = Vec::new();
        for Figure { name, value } in &to.account.counters {
            let earlier = from.account.counters.iter().find(|c| c.name == *name);
            let Some(earlier) = earlier else { continue };
            let more = value - earlier.value.min(*value);
            told.push(format!("{} {name}", thousands(more)));
            self.evidence.push(Evidence {
                name: name.to_string(),
                value: more as i64,
                when: span(from, to),
                source: "the allocator's counter".to_owned(),
            });
        }
        match told.is_empty() {
            true => String::new(),
            false => format!(" ({})", told.join(", ")),
        }
    }

    /// What keeps a part where it is, as the end of a clause.
    fn because(&self, name: &str) -> String {
        let part = self.parts.iter().find(|part| part.name == name);
        match part {
            Some(part) if part.holds != Holds::Blocks => format!(", {}", part.because),
            _ => String::new(),
        }
    }

    fn before(&self, name: &str) -> i64 {
        let entry = self.baseline.ledger.iter().find(|entry| entry.name == name);
        entry.map_or(0, |entry| entry.kib)
    }

    fn kept(&self, checkpoint: &Checkpoint) -> i64 {
        checkpoint.kept_kib
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
