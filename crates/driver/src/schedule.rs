//! The checkpoints of a run, as data: what is asked before each of them.

use model::protocol::Command;
use model::{AfterDrop, Moment};

/// How often the object is built and dropped where the user says nothing: the second time shows
/// what history changes, and how much of the kept memory is used again.
pub const DEFAULT_ROUNDS: u32 = 2;

/// The clock, after the last drop, at the idle checkpoints; and again, from there, at the active ones.
const TIMES_MS: [u64; 5] = [10, 100, 1_000, 10_000, 60_000];

/// How long after the release the last look is taken: time for what rebounds to do so.
const SETTLE_MS: u64 = 10_000;

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

/// The clock milliseconds that a whole run lets pass.
pub fn clock_time() -> u64 {
    let last = TIMES_MS[TIMES_MS.len() - 1];
    last + last + SETTLE_MS
}

/// Every step of a run of `rounds` rounds, in order, one at a time: rounds may be many.
pub(crate) fn steps(rounds: u32, after_drop: AfterDrop) -> impl Iterator<Item = Step> {
    let step = |moment, round, commands: &[Command<'static>]| Step {
        moment,
        round,
        commands: commands.to_vec(),
    };
    let baseline = step(Moment::Baseline, 0, &warm_up());
    let builds = (1..=rounds).flat_map(move |round| {
        let built = step(Moment::Built, round, &[Command::Build]);
        [
            built,
            step(Moment::Dropped, round, drop_commands(after_drop)),
        ]
    });
    let idle = waits().map(move |wait| step(Moment::Idle, rounds, &[wait]));
    let active = waits().map(move |wait| step(Moment::Active, rounds, &[wait, Command::Traffic]));
    let settling = Command::Wait { ms: SETTLE_MS };
    let end = [
        step(Moment::Released, rounds, &[Command::Release]),
        step(Moment::Settled, rounds, &[settling]),
    ];
    let before = std::iter::once(baseline).chain(builds);
    before.chain(idle).chain(active).chain(end)
}

fn drop_commands(after_drop: AfterDrop) -> &'static [Command<'static>] {
    match after_drop {
        AfterDrop::Nothing => &[Command::Drop],
        AfterDrop::Release => &[Command::Drop, Command::Release],
    }
}

/// Every command once, so that its text, its stack and its first-time state are in the baseline.
/// The traffic comes last: its own small working set is part of what an ordinary program is.
fn warm_up() -> [Command<'static>; 4] {
    [
        Command::Account,
        Command::Wait { ms: 0 },
        Command::Release,
        Command::Traffic,
    ]
}

/// From one of [`TIMES_MS`] to the next.
fn waits() -> impl Iterator<Item = Command<'static>> {
    let earlier = [0].into_iter().chain(TIMES_MS);
    TIMES_MS
        .into_iter()
        .zip(earlier)
        .map(|(time, earlier)| Command::Wait { ms: time - earlier })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_of_the_schedule_add_up() {
        let all: Vec<Step> = steps(3, AfterDrop::Release).collect();
        let commands = all.iter().flat_map(|step| &step.commands);
        let waited: u64 = commands
            .map(|command| match command {
                Command::Wait { ms } => *ms,
                _ => 0,
            })
            .sum();
        assert_eq!(waited, clock_time());
        assert_eq!(all.len(), 1 + 2 * 3 + 2 * TIMES_MS.len() + 2);
    }

    #[test]
    fn a_run_of_a_billion_rounds_begins_at_once() {
        assert_eq!(
            steps(u32::MAX, AfterDrop::Nothing)
                .next()
                .map(|step| step.round),
            Some(0)
        );
        assert_eq!(
            steps(u32::MAX, AfterDrop::Nothing)
                .nth(1_000)
                .map(|step| step.round),
            Some(500)
        );
    }
}
