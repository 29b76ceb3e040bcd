//! One timed run: a process, a workload, and what the kernel has to say before and after.
//!
//! The clock is the subject's to read, right before and right after the passes: a conversation in
//! between would be timed with them. Memory is read from outside, as at every checkpoint:
//!
//! ```text
//! began     the process has introduced itself and rests     Anonymous + Swap - LazyFree
//! peak      VmHWM, set back then, less the file-backed pages, less the program
//! kept      everything has been freed                       Anonymous + Swap - LazyFree, less the program
//! ```
//!
//! The program is what a process has resident without what its allocator took for itself: that of another,
//! whose allocator takes next to nothing, as it began. With its own beginning taken off instead, an allocator would have
//! for nothing what it fetches before anybody asks.

use std::path::PathBuf;
use std::time::Duration;

use model::protocol::{Command, Reply};
use model::{Account, Conditions, Knob, Memory};
use probe::Probe;

use crate::subject::{LAST_BREATH, Subject, out_of_turn};
use crate::{Failure, Interrupt, Introduction, executable};

/// One run to be timed.
#[derive(Clone, Debug)]
pub struct Race {
    /// The subject's executable.
    pub subject: PathBuf,
    /// The settings of its allocator.
    pub knob: Knob,
    /// The workload's name.
    pub workload: String,
    /// How many times smaller than usual; 1 but in tests.
    pub divisor: u64,
    /// What the program has resident by itself, KiB: [`Timed::began_kib`] of a subject whose allocator takes next
    /// to nothing. `None` takes the subject's own.
    pub program_kib: Option<i64>,
    /// How long the subject may take.
    pub limit: Duration,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The subject's introduction of itself.
    pub introduction: Introduction,
    /// Nanoseconds of the timed passes, on the subject's clock.
    pub ns: u64,
    /// Operations in them.
    pub operations: u64,
    /// What was resident before the subject was asked for anything, KiB.
    pub began_kib: i64,
    /// The most that was resident at once beyond the program, KiB; `None` where the machine does not let the mark be
    /// set back.
    pub peak_kib: Option<i64>,
    /// What is still resident beyond the program once everything has been freed, KiB.
    pub kept_kib: i64,
    /// What the allocator says of itself afterwards.
    pub account: Account,
    /// See [`Run`](crate::Run).
    pub remark: Option<String>,
}

/// Runs a workload in a process of its own, on the machine as it is and in real time.
///
/// # Errors
/// Why the run ended early.
pub fn time(race: &Race, interrupt: &Interrupt) -> Result<Timed, Failure> {
    let process = executable::command(&race.subject, &[]).map_err(Failure::NotStarted)?;
    let mut subject = Subject::spawn(process, Conditions::Host, &race.knob, interrupt)?;
    let probe = Probe::open(subject.id())?;
    let timed = finish(race, &mut subject, &probe);
    // A process that cannot be looked at has died in silence.
    let timed = timed.map_err(|failure| match failure {
        Failure::Unreadable(_) => subject.died("hold still", LAST_BREATH).unwrap_or(failure),
        other => other,
    })?;
    let remark = subject.dismiss(race.limit)?;
    Ok(Timed { remark, ..timed })
}

fn finish(race: &Race, subject: &mut Subject<'_>, probe: &Probe) -> Result<Timed, Failure> {
    let introduction = subject.shake_hands(race.limit)?;
    let began_kib = probe.memory()?.held_kib();
    let program_kib = race.program_kib.unwrap_or(began_kib);
    let mark = probe.set_peak_back();
    let command = Command::Time {
        workload: race.workload.as_str().into(),
        divisor: race.divisor,
    };
    let (ns, operations) = match subject.ask(&command, race.limit)? {
        Reply::Timed { ns, operations } => (ns, operations),
        reply => return Err(out_of_turn(&command, &reply)),
    };
    let after = probe.memory()?;
    let peak_rss_kib = mark.and_then(|()| probe.peak_rss_kib()).ok();
    Ok(Timed {
        introduction,
        ns,
        operations,
        began_kib,
        peak_kib: peak_rss_kib.map(|peak| held_kib(peak, &after) - program_kib),
        kept_kib: after.held_kib() - program_kib,
        account: subject.account(race.limit)?,
        remark: None, // it has not ended
    })
}

/// Of the most that was resident, what files do not hold. Their pages are counted in the mark, too: the program's text,
/// which is the same size at the peak as it is afterwards.
fn held_kib(peak_rss_kib: u64, after: &Memory) -> i64 {
    let of_files_kib = after.rss_kib.saturating_sub(after.anonymous_kib);
    let held_kib = peak_rss_kib.saturating_sub(of_files_kib);
    // The mark is a running counter, which lags behind by some pages.
    held_kib.max(after.anonymous_kib) as i64
}
