//! Why memory stays: the parts that hold it after the last drop (`holders.rs`), what keeps them there, and what
//! happened to them since, in one sentence.
//!
//! The parts' own descriptions say what would move them; this file says which parts they are, by how
//! much, and whether the run bears it out. What is in no part is not explained away: where it is the
//! most of the excess, the cause says that the evidence does not suffice.

use model::figures::{duration, mebibytes, thousands};
use model::{
    Cause, Checkpoint, Entry, Evidence, Figure, Holds, MemorySource, Moment, Part, Returns, Verdict,
};

use crate::holders::{excess, grown, is_unexplained, unexplained_kib};
use crate::thresholds::{NOTABLE, TRIVIAL_KIB};

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
        collected: last(Moment::Collected),
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
    collected: Option<&'a Checkpoint>,
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
            self.tell_of_the_collection();
            self.tell_of_the_end();
        }
        Cause {
            sentence: sentence(&self.clauses),
            evidence: self.evidence,
        }
    }

    fn nothing_is_kept(&mut self) {
        let kept = self.dropped.kept_kib.max(0);
        let occupied = self.verdict.occupied_kib;
        self.note(
            "occupied",
            occupied,
            "built 1".to_owned(),
            kernel(self.dropped),
        );
        self.note_kept(self.dropped);
        let given = mebibytes((occupied - kept).max(0));
        let of = mebibytes(occupied.max(0));
        self.clauses.push(match self.verdict.survivors_kib {
            _ if occupied < TRIVIAL_KIB => {
                format!(
                    "no more than {of} was held at a time, so that there is nothing to come back"
                )
            }
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
        self.note_kept(self.dropped);
        let alive = self.dropped.live_bytes;
        self.evidence.push(Evidence {
            name: "alive_bytes".to_owned(),
            value: alive as i64,
            when: place(self.dropped),
            source: "the scenario".to_owned(),
        });
        let holders = grown(self.baseline, self.dropped, self.verdict);
        for (entry, _) in &holders {
            self.note_entry(entry, self.dropped);
        }
        self.note_the_other_parts(&holders);
        let alive = match alive {
            0 => "with nothing alive".to_owned(),
            1..1024 => format!("beside {alive} bytes that are alive"),
            _ => format!("beside {} that are alive", mebibytes((alive / 1024) as i64)),
        };
        let kept = format!("{} are kept {alive}", mebibytes(excess));
        if holders.is_empty() || is_unexplained(self.dropped, self.verdict) {
            let unexplained = unexplained_kib(self.dropped);
            self.note(
                Entry::UNEXPLAINED,
                unexplained,
                place(self.dropped),
                "the ledger",
            );
            let why = match unexplained {
                ..0 => format!("the account has {} too much", mebibytes(-unexplained)),
                _ => format!("{} are in no part of the account", mebibytes(unexplained)),
            };
            self.clauses
                .push(format!("{kept}, and the evidence does not suffice: {why}"));
            return;
        }
        let told = holders.iter().map(|(entry, kib)| {
            let because = self.because(&entry.name);
            held(entry, *kib) + &because
        });
        let told: Vec<String> = told.collect();
        self.clauses.push(format!("{kept}: {}", told.join("; ")));
    }

    /// The free memory that the sentence does not name: it may pin what it names.
    fn note_the_other_parts(&mut self, holders: &[(&'a Entry, i64)]) {
        for entry in &self.dropped.ledger {
            let is_free = |part: &Part| part.name == entry.name && part.holds == Holds::Free;
            let is_named = holders.iter().any(|(holder, _)| holder.name == entry.name);
            if entry.kib > 0 && !is_named && self.parts.iter().any(is_free) {
                self.note_entry(entry, self.dropped);
            }
        }
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

    /// What the garbage collector's full collection did: it may return memory, or hand it down from the
    /// part that held it to another.
    fn tell_of_the_collection(&mut self) {
        let Some(collected) = self.collected else {
            return;
        };
        let before = self.worked.or(self.idled).unwrap_or(self.dropped);
        let moved = self.moved(before, collected, "returned on collection");
        let held_before = grown(self.baseline, before, self.verdict);
        let mut holders = grown(self.baseline, collected, self.verdict).into_iter();
        let heir = holders.find(|(heir, _)| held_before.iter().all(|(e, _)| e.name != heir.name));
        if moved as f64 >= NOTABLE * self.excess(self.dropped) as f64 {
            let moved = mebibytes(moved);
            self.clauses
                .push(format!("a full collection returned {moved}"));
        } else if let Some((heir, kib)) = heir {
            self.note_entry(heir, collected);
            let because = self.because(&heir.name);
            self.clauses.push(format!(
                "a full collection hands it down, {}{because}",
                held(heir, kib)
            ));
        }
    }

    /// What activity and the request did; and where the rest is, if they did not do.
    fn tell_of_the_end(&mut self) {
        let Some(worked) = self.worked else { return };
        let idled = self.idled.unwrap_or(self.dropped); // an active curve does not idle
        self.moved(idled, worked, "returned on activity");
        self.counted(idled, worked);
        let (end, done) = match self.released {
            Some(released) => (released, self.release_call.unwrap_or("the request")),
            None => (worked, "ordinary traffic"),
        };
        if end.name == Moment::Released {
            let before = self.collected.unwrap_or(worked);
            self.moved(before, end, "returned on request");
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
            self.note_entry(entry, end);
        }
        self.note_kept(end);
        let left = mebibytes(self.excess(end));
        self.clauses.push(match still.is_empty() {
            true => format!("{done} leaves {left}"),
            false => format!("{done} leaves {left}: {}", still.join(", ")),
        });
    }

    /// What went back in between, KiB, noted as evidence.
    fn moved(&mut self, from: &'a Checkpoint, to: &'a Checkpoint, name: &str) -> i64 {
        let moved = from.kept_kib - to.kept_kib;
        self.note(name, moved, span(from, to), kernel(to));
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

    /// What keeps a part where it is, as the end of a clause. Of what is rounding in the ledger the allocator tells as of
    /// blocks, its own first.
    fn because(&self, name: &str) -> String {
        let is_it = |part: &&Part| match name {
            Entry::ROUNDING => part.holds == Holds::Blocks,
            _ => part.name == name && part.holds != Holds::Blocks,
        };
        let part = self.parts.iter().find(is_it);
        part.map_or_else(String::new, |part| format!(", {}", part.because))
    }

    fn excess(&self, checkpoint: &Checkpoint) -> i64 {
        excess(checkpoint, self.verdict)
    }

    fn note_kept(&mut self, at: &Checkpoint) {
        self.note("kept", at.kept_kib, place(at), kernel(at));
    }

    fn note_entry(&mut self, entry: &Entry, at: &Checkpoint) {
        self.note(&entry.name, entry.kib, place(at), &entry.source);
    }

    /// `malloc's fastbins` is noted as `malloc_fastbins_kib`.
    fn note(&mut self, name: &str, kib: i64, when: String, source: &str) {
        self.evidence.push(Evidence {
            name: format!("{}_kib", name.replace("'s", "").replace(' ', "_")),
            value: kib,
            when,
            source: source.to_owned(),
        });
    }
}

/// `80.0 MiB in fastbins`
fn held(entry: &Entry, kib: i64) -> String {
    format!("{} in {}", mebibytes(kib), entry.name)
}

/// One sentence out of these clauses.
fn sentence(clauses: &[String]) -> String {
    let mut text = clauses.join("; ") + ".";
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// Where the kernel's figures of this checkpoint come from.
fn kernel(checkpoint: &Checkpoint) -> &'static str {
    match checkpoint.memory.memory_source {
        MemorySource::SmapsRollup => "smaps_rollup: Anonymous + Swap - LazyFree",
        MemorySource::ResidentCounter => "the operating system's resident counter",
    }
}

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
mod tests;
