//! The runs of a benchmark, one after the other: for each workload round after round, and in a round
//! one run of each contestant.
//!
//! ```text
//! pair       count   A B C D C   A B C D B   A B C D C
//! lifo-24    count   A B C D B   A B C D B   A B C D A
//! ```
//!
//! Whatever the machine does for some seconds it does to a whole round, and ratios are taken within
//! one. A contestant that fails once is not run again in this workload. Last in a round the peer that
//! was fastest in it runs once more: the control, which shows what chance alone does to a ratio.

use std::path::PathBuf;
use std::time::Duration;

use driver::{Failure, Interrupt, Race};
use model::protocol::PEAK_LIVE_BYTES;
use model::{Knob, Standing, Status, TimedContestant, TimedRun, TimedWorkload};
use workloads::Workload;

use crate::contestants::Racer;
use crate::progress::Progress;

/// Who runs, and how often.
pub(crate) struct Course {
    pub(crate) racers: Vec<Racer>,
    /// The subject that counts what a workload holds.
    pub(crate) counting: PathBuf,
    pub(crate) rounds: u32,
    pub(crate) limit: Duration,
}

/// What a subject found that counts.
struct Counted {
    /// The most that the workload holds at once, by its own requests.
    peak_live_kib: Option<u64>,
    /// What the program has resident before that.
    program_kib: i64,
}

/// A contestant in one workload: how it is run, and what has come of it.
struct Lane {
    race: Race,
    result: TimedContestant,
}

impl Course {
    /// Runs these workloads, until the end or an interruption; what has no round is left out.
    pub(crate) fn run(
        &self,
        workloads: &[&'static Workload],
        interrupt: &Interrupt,
    ) -> Vec<TimedWorkload> {
        let mut progress = Progress::new(workloads.len() * self.rounds as usize);
        let mut timed = Vec::new();
        for workload in workloads {
            let mut result = self.time(workload, &mut progress, interrupt);
            if interrupt.signal().is_some() {
                keep_whole_rounds(&mut result.contestants);
            }
            oracle::write_spreads(&mut result);
            if result
                .contestants
                .iter()
                .any(|c| c.failure.is_some() || !c.runs.is_empty())
            {
                timed.push(result);
            }
            if interrupt.signal().is_some() {
                break;
            }
        }
        timed
    }

    fn time(
        &self,
        workload: &Workload,
        progress: &mut Progress,
        interrupt: &Interrupt,
    ) -> TimedWorkload {
        let mut lanes = self.lanes(workload);
        let mut control = unmeasured(CONTROL, Knob::DEFAULT, Standing::Control);
        let mut counted = None;
        for round in 1..=self.rounds {
            if interrupt.signal().is_some() {
                break;
            }
            progress.begin(format!("{}, round {round}", workload.name));
            if round == 1 {
                progress.at(&"counting");
                counted = self.count(workload, interrupt, progress);
                let program_kib = counted.as_ref().map(|counted| counted.program_kib);
                lanes
                    .iter_mut()
                    .for_each(|lane| lane.race.program_kib = program_kib);
            }
            for lane in lanes
                .iter_mut()
                .filter(|lane| lane.result.failure.is_none())
            {
                if interrupt.signal().is_some() {
                    break;
                }
                run(&lane.race, &mut lane.result, interrupt, progress);
            }
            if interrupt.signal().is_none()
                && control.failure.is_none()
                && let Some(race) = fastest_peer(&lanes, round as usize)
            {
                run(race, &mut control, interrupt, progress);
            }
            progress.end(None);
        }
        TimedWorkload {
            name: workload.name.to_owned(),
            summary: workload.summary.to_owned(),
            operation: workload.operation.to_owned(),
            peak_live_kib: counted.as_ref().and_then(|counted| counted.peak_live_kib),
            program_kib: counted.map(|counted| counted.program_kib),
            contestants: lanes
                .into_iter()
                .map(|lane| lane.result)
                .chain((!control.runs.is_empty() || control.failure.is_some()).then_some(control))
                .collect(),
        }
    }

    /// A lane for each contestant, and one for each limit of the workload. A limit asks no allocator
    /// for anything: any subject will do.
    fn lanes(&self, workload: &Workload) -> Vec<Lane> {
        let racers = self.racers.iter().map(|racer| Lane {
            race: self.race(workload, &racer.executable, racer.knob.clone()),
            result: unmeasured(&racer.allocator, &racer.knob.name, racer.standing()),
        });
        let knob = Knob::default_settings;
        let limits = workload.limits.iter().map(|limit| Lane {
            race: self.race(limit, &self.counting, knob()),
            result: unmeasured(limit.name, &knob().name, Standing::Limit),
        });
        racers.chain(limits).collect()
    }

    fn race(&self, workload: &Workload, subject: &std::path::Path, knob: Knob) -> Race {
        Race {
            subject: subject.to_owned(),
            knob,
            workload: workload.name.to_owned(),
            divisor: 1,
            program_kib: None,
            limit: self.limit,
        }
    }

    /// Runs the workload in the subject that counts.
    fn count(
        &self,
        workload: &Workload,
        interrupt: &Interrupt,
        progress: &Progress,
    ) -> Option<Counted> {
        let race = self.race(workload, &self.counting, Knob::default_settings());
        match driver::time(&race, interrupt) {
            Ok(timed) => {
                let counters = timed.account.counters;
                let peak = counters.iter().find(|count| count.name == PEAK_LIVE_BYTES);
                Some(Counted {
                    peak_live_kib: peak.map(|count| count.value.div_ceil(1024)),
                    program_kib: timed.began_kib,
                })
            }
            Err(Failure::Interrupted(_)) => None,
            Err(failure) => {
                progress.say(&format!(
                    "what {} holds was not counted: {failure}",
                    workload.name
                ));
                None
            }
        }
    }
}

/// The name of the contestant that is no allocator but each round's fastest peer.
const CONTROL: &str = "best peer again";

/// Who was the fastest of the peers that took part in this round, counted from 1.
fn fastest_peer(lanes: &[Lane], round: usize) -> Option<&Race> {
    let peers = lanes
        .iter()
        .filter(|lane| lane.result.standing == Standing::Peer && lane.result.failure.is_none());
    let times = peers.filter_map(|lane| Some((lane.result.runs.get(round - 1)?.ns_per_op, lane)));
    let (_, fastest) = times.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(&fastest.race)
}

/// One more run, and what came of it.
fn run(race: &Race, result: &mut TimedContestant, interrupt: &Interrupt, progress: &mut Progress) {
    progress.at(&result.contestant);
    match driver::time(race, interrupt) {
        Ok(timed) => {
            if let Some(remark) = &timed.remark {
                progress.remark(&result.contestant, remark);
            }
            if matches!(result.standing, Standing::Peer | Standing::Ours) {
                result.allocator_version = Some(timed.introduction.version);
            }
            result.runs.push(TimedRun {
                ns_per_op: timed.ns as f64 / timed.operations.max(1) as f64,
                timed_ms: timed.ns as f64 / 1e6,
                peak_kib: timed.peak_kib,
                kept_kib: timed.kept_kib,
            });
            result.status = Status::Measured;
        }
        Err(Failure::Interrupted(_)) => {} // nobody's fault
        Err(failure) => {
            let (workload, name) = (&race.workload, &result.contestant);
            progress.say(&format!("{workload} under {name} failed: {failure}"));
            result.status = Status::Failed;
            result.failure = Some(failure.to_string());
        }
    }
}

/// A contestant before its first run.
fn unmeasured(allocator: &str, knob: &str, standing: Standing) -> TimedContestant {
    TimedContestant {
        contestant: report::contestant(allocator, knob),
        allocator: allocator.to_owned(),
        knob: knob.to_owned(),
        allocator_version: None,
        standing,
        status: Status::Failed,
        failure: None,
        ns_per_op: None,
        ratio_to_best_peer: None,
        peak_kib: None,
        kept_kib: None,
        runs: Vec::new(),
    }
}

/// Of an interrupted workload: a round in which not everybody ran is none.
fn keep_whole_rounds(contestants: &mut [TimedContestant]) {
    let lanes = contestants.iter().filter(|c| c.failure.is_none());
    let whole = lanes.map(|c| c.runs.len()).min().unwrap_or(0);
    for contestant in contestants {
        contestant.runs.truncate(whole);
    }
}
