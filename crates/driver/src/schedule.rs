//! The checkpoints of a run, as data: what is asked before each of them.
//!
//! Every run begins alike, warmed up and then round after round of building and dropping. What
//! follows the last drop is its [`Schedule`].

use model::protocol::Command;
use model::{AfterDrop, Mode, Moment};

use crate::Collector;

/// The clock, after the last drop, at a verdict's idle checkpoints; and again, from there, at its
/// active ones.
const TIMES_MS: [u64; 5] = [10, 100, 1_000, 10_000, 60_000];

/// How long after the release the last look is taken: time for what rebounds to do so.
const SETTLE_MS: u64 = 10_000;

/// What a run lets happen after the last drop.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Idling, activity, the request, and a last look: what the oracle judges.
    Verdict,
    /// The clock alone, read often: a retention curve.
    Curve {
        /// What the program does in the meantime.
        mode: Mode,
        /// The clock, after the last drop, at each checkpoint; ascending.
        times_ms: Vec<u64>,
    },
}

/// The times of a curve up to `until_ms`, three to a decade: 1, 2, 5, 10, 20 ms and so on.
pub fn curve_times(until_ms: u64) -> Vec<u64> {
    let decades = std::iter::successors(Some(1_u64), |ms| ms.checked_mul(10));
    let times = decades.flat_map(|ms| [ms, ms.saturating_mul(2), ms.saturating_mul(5)]);
    let times = times.take_while(|&ms| ms < until_ms);
    times.chain([until_ms]).collect()
}

impl Schedule {
    /// How often the object is built and dropped where the user says nothing. A verdict takes a
    /// second time, which shows what history changes and how much of the kept memory is used
    /// again; a curve is that of the first drop.
    pub fn default_rounds(&self) -> u32 {
        match self {
            Schedule::Verdict => 2,
            Schedule::Curve { .. } => 1,
        }
    }

    /// The clock milliseconds that a whole run lets pass.
    pub fn clock_ms(&self) -> u64 {
        match self {
            Schedule::Verdict => 2 * TIMES_MS[TIMES_MS.len() - 1] + SETTLE_MS,
            Schedule::Curve { times_ms, .. } => times_ms.last().copied().unwrap_or(0),
        }
    }

    /// Every step of a run of `rounds` rounds, in order, one at a time: rounds may be many.
    pub(crate) fn steps(
        &self,
        rounds: u32,
        after_drop: AfterDrop,
        collector: Collector,
    ) -> impl Iterator<Item = Step> {
        let baseline = step(Moment::Baseline, 0, warm_up(collector));
        let builds = (1..=rounds).flat_map(move |round| {
            let built = step(Moment::Built, round, &[Command::Build]);
            [
                built,
                step(Moment::Dropped, round, drop_commands(after_drop)),
            ]
        });
        std::iter::once(baseline)
            .chain(builds)
            .chain(self.after_the_last_drop(rounds, collector))
    }

    fn after_the_last_drop(&self, round: u32, collector: Collector) -> Vec<Step> {
        match self {
            Schedule::Verdict => {
                let idle = passing(Mode::Idle, &TIMES_MS, round);
                let active = passing(Mode::Active, &TIMES_MS, round);
                let settling = Command::Wait { ms: SETTLE_MS };
                let end = [
                    step(Moment::Released, round, &[Command::Release]),
                    step(Moment::Settled, round, &[settling]),
                ];
                let collected = match collector {
                    Collector::None => None,
                    Collector::Full => Some(step(Moment::Collected, round, &[Command::Collect])),
                };
                idle.chain(active).chain(collected).chain(end).collect()
            }
            Schedule::Curve { mode, times_ms } => passing(*mode, times_ms, round).collect(),
        }
    }
}

/// What leads to one checkpoint.
pub(crate) struct Step {
    pub(crate) moment: Moment,
    pub(crate) round: u32,
    pub(crate) commands: Vec<Command<'static>>,
}

impl Step {
    /// Whether it is about what the allocator does when it is asked for memory back.
    pub(crate) fn follows_a_request(&self) -> bool {
        matches!(self.moment, Moment::Released | Moment::Settled)
    }
}

fn step(moment: Moment, round: u32, commands: &[Command<'static>]) -> Step {
    Step {
        moment,
        round,
        commands: commands.to_vec(),
    }
}

fn drop_commands(after_drop: AfterDrop) -> &'static [Command<'static>] {
    match after_drop {
        AfterDrop::Nothing => &[Command::Drop],
        AfterDrop::Release => &[Command::Drop, Command::Release],
        AfterDrop::Collect => &[Command::Drop, Command::Collect],
    }
}

/// Every command once, so that its text, its stack and its first-time state are in the baseline.
/// The traffic comes last: its own small working set is part of what an ordinary program is.
fn warm_up(collector: Collector) -> &'static [Command<'static>] {
    const COMMANDS: [Command<'static>; 5] = [
        Command::Collect,
        Command::Account,
        Command::Wait { ms: 0 },
        Command::Release,
        Command::Traffic,
    ];
    match collector {
        Collector::None => &COMMANDS[1..],
        Collector::Full => &COMMANDS,
    }
}

/// A step to each of these times, from the one before it.
fn passing(mode: Mode, times_ms: &[u64], round: u32) -> impl Iterator<Item = Step> {
    let earlier = std::iter::once(&0).chain(times_ms);
    times_ms.iter().zip(earlier).map(move |(time, earlier)| {
        let wait = Command::Wait { ms: time - earlier };
        match mode {
            Mode::Idle => step(Moment::Idle, round, &[wait]),
            Mode::Active => step(Moment::Active, round, &[wait, Command::Traffic]),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_waits(schedule: &Schedule, collector: Collector, steps_after_the_drop: usize) {
        let all: Vec<Step> = schedule.steps(3, AfterDrop::Release, collector).collect();
        let commands = all.iter().flat_map(|step| &step.commands);
        let waited: u64 = commands
            .map(|command| match command {
                Command::Wait { ms } => *ms,
                _ => 0,
            })
            .sum();
        assert_eq!(waited, schedule.clock_ms());
        assert_eq!(all.len(), 1 + 2 * 3 + steps_after_the_drop);
    }

    #[test]
    fn the_waits_of_a_schedule_add_up() {
        let verdict = Schedule::Verdict;
        check_waits(&verdict, Collector::None, 2 * TIMES_MS.len() + 2);
        check_waits(&verdict, Collector::Full, 2 * TIMES_MS.len() + 3);
        let hour = Schedule::Curve {
            mode: Mode::Active,
            times_ms: curve_times(3_600_000),
        };
        check_waits(&hour, Collector::Full, 21);
    }

    #[test]
    fn a_curve_has_three_points_to_a_decade_and_ends_where_it_was_told_to() {
        assert_eq!(curve_times(1), [1]);
        assert_eq!(curve_times(60), [1, 2, 5, 10, 20, 50, 60]);
        assert_eq!(curve_times(100), [1, 2, 5, 10, 20, 50, 100]);
        assert_eq!(curve_times(u64::MAX).last(), Some(&u64::MAX));
    }

    #[test]
    fn a_run_of_a_billion_rounds_begins_at_once() {
        let round_of = |index| {
            let mut steps = Schedule::Verdict.steps(u32::MAX, AfterDrop::Nothing, Collector::None);
            steps.nth(index).map(|step| step.round)
        };
        assert_eq!(round_of(0), Some(0));
        assert_eq!(round_of(1_000), Some(500));
    }
}
