//! From what was measured to what it means: a pure function of a cell's checkpoints.
//!
//! ```text
//! occupied    = kept at the first `built`
//! survivors   = what the scenario holds alive after the last drop
//! returned(c) = (occupied - kept(c)) / (occupied - survivors)
//! dropped     = occupied - survivors
//! came back at c  <=>  kept(c) - survivors <= max((1 - RETURNED_PERCENT / 100) * dropped,
//!                                                 min(NEGLIGIBLE_KIB, dropped / 4), TRIVIAL_KIB)
//! ```
//!
//! The verdict is about the last round, the one that idling, activity and the request follow:
//! the first of its checkpoints at which the memory had come back, and stayed so for the rest of
//! that occasion, names the occasion. If that was the drop itself, and an earlier drop kept its
//! memory, the next round brought that back, which is activity.

mod benchmark;
mod cause;
mod curve;
mod difference;
#[cfg(test)]
mod fixture;
mod holders;
mod ledger;
mod merge;
mod prediction;
mod price;
mod thresholds;
mod tradeoff;

use model::{Checkpoint, Moment, Returned, Returns, Verdict};

pub use benchmark::{geomeans, write_spreads};
pub use cause::cause;
pub use curve::curve;
pub use difference::{Missing, differences};
pub use holders::holder;
pub use ledger::{unexplained, write_ledgers};
pub use merge::{Source, merge};
pub use prediction::{Live, is_within, predictions, waterfall};
pub use price::{SAME_CPU, SAME_FAULTS, cpu_ms, price, smallest_sufficient};
pub use thresholds::{
    COMPARABLE_FAULTS, EXPLAINABLE_KIB, NEGLIGIBLE_KIB, NOISE_CPU, NOISE_CPU_MS, NOISE_FAULTS,
    NOISE_KIB, NOISE_PART, NOTABLE, PARTLY, PREDICTED_KIB, PREDICTED_PART, RETURNED_PERCENT,
    TRIVIAL_KIB,
};
pub use tradeoff::tradeoffs;

/// What these checkpoints mean; `None` before the first drop. Where their ledgers are written, the
/// verdict says how much they leave unexplained.
pub fn judge(checkpoints: &[Checkpoint]) -> Option<Verdict> {
    let occupied_kib = find(checkpoints, Moment::Built, 1)?.kept_kib;
    let first_drop = position(checkpoints, Moment::Dropped, 1)?;
    let last_round = checkpoints.last()?.round;
    let last_drop = position(checkpoints, Moment::Dropped, last_round)?;
    let dropped = &checkpoints[last_drop];
    let object = Object {
        occupied_kib,
        survivors_kib: (dropped.live_bytes / 1024) as i64,
    };
    let after = &checkpoints[last_drop..];
    let is_back = |c: &Checkpoint| object.has_come_back(c.kept_kib);
    let occasion = (0..after.len()).find(|&index| {
        let mut rest = after[index..]
            .iter()
            .take_while(|c| c.name == after[index].name);
        rest.all(is_back)
    });
    let occasion = occasion.map(|index| &after[index]);
    // Memory of an earlier round that came back by the last one came back with the building in between.
    let earlier = checkpoints[..last_drop].iter();
    let earlier = earlier.filter(|c| c.name == Moment::Dropped && !is_back(c));
    let stayed = earlier.max_by_key(|c| c.kept_kib);
    let most_returned = after.iter().filter_map(|c| object.returned(c.kept_kib));
    let returns = match occasion {
        Some(c) if c.name == Moment::Dropped && stayed.is_some() => Returns::OnActivity,
        Some(checkpoint) => occasion_of(checkpoint.name),
        None if most_returned.fold(0.0, f64::max) >= PARTLY => Returns::Partly,
        None => Returns::Never,
    };
    let round = match stayed.filter(|_| is_back(dropped)) {
        Some(stayed) => stayed.round,
        None => last_round,
    };
    let kept_of = |moment| find(checkpoints, moment, last_round).map(|c| c.kept_kib);
    let returned_at = |drop: usize| object.returned(checkpoints[drop].kept_kib);
    let history = returned_at(first_drop).zip(returned_at(last_drop));
    let lazy_kib = after.iter().map(|c| c.memory.lazy_kib).max().unwrap_or(0);
    Some(Verdict {
        returns,
        occasion: occasion.map(|checkpoint| checkpoint.name),
        after_ms: occasion
            .filter(|_| round == last_round)
            .map(|checkpoint| checkpoint.clock_ms - dropped.clock_ms),
        traffic_moments: occasion
            .filter(|checkpoint| checkpoint.name == Moment::Active)
            .map(|checkpoint| {
                let active = after.iter().filter(|c| c.name == Moment::Active);
                let until = active.filter(|c| c.clock_ms <= checkpoint.clock_ms);
                until.count() as u32
            }),
        round,
        unexplained: unexplained(checkpoints).map(rounded),
        occupied_kib,
        survivors_kib: object.survivors_kib,
        pin_amplification: (object.survivors_kib > 0)
            .then(|| rounded(dropped.kept_kib as f64 / object.survivors_kib as f64)),
        lazily: match occupied_kib {
            1.. => rounded(lazy_kib as f64 / occupied_kib as f64),
            _ => 0.0,
        },
        rebound_kib: kept_of(Moment::Settled)
            .zip(kept_of(Moment::Released))
            .map(|(settled, released)| settled - released),
        history: history
            .filter(|_| last_round > 1)
            .map(|(first, last)| rounded(first - last)),
        reuse: reuse(checkpoints),
        returned: checkpoints[first_drop..]
            .iter()
            .map(|checkpoint| Returned {
                name: checkpoint.name,
                round: checkpoint.round,
                clock_ms: checkpoint.clock_ms,
                fraction: object.returned(checkpoint.kept_kib).map(rounded),
            })
            .collect(),
    })
}

/// What was built, and what outlives it.
struct Object {
    occupied_kib: i64,
    survivors_kib: i64,
}

impl Object {
    fn dropped_kib(&self) -> i64 {
        self.occupied_kib - self.survivors_kib
    }

    /// The part of what was dropped that is not kept; `None` where nothing was dropped.
    fn returned(&self, kept_kib: i64) -> Option<f64> {
        let returned_kib = (self.occupied_kib - kept_kib) as f64;
        (self.dropped_kib() > 0).then(|| returned_kib / self.dropped_kib() as f64)
    }

    /// Whether so little more than the survivors is kept that the object counts as returned.
    fn has_come_back(&self, kept_kib: i64) -> bool {
        let rest_kib = self.dropped_kib() * (100 - RETURNED_PERCENT) / 100;
        let negligible_kib = NEGLIGIBLE_KIB.min(self.dropped_kib() / 4).max(TRIVIAL_KIB);
        kept_kib - self.survivors_kib <= rest_kib.max(negligible_kib)
    }
}

fn occasion_of(moment: Moment) -> Returns {
    match moment {
        Moment::Idle => Returns::WhenIdle,
        Moment::Active => Returns::OnActivity,
        Moment::Collected | Moment::Released | Moment::Settled => Returns::OnRequest,
        Moment::Baseline | Moment::Built | Moment::Dropped => Returns::AtOnce,
    }
}

/// The part of the second build's page faults that kept memory spared it.
fn reuse(checkpoints: &[Checkpoint]) -> Option<f64> {
    let first = find(checkpoints, Moment::Built, 1)?.minor_faults?;
    let second = find(checkpoints, Moment::Built, 2)?.minor_faults?;
    (first >= COMPARABLE_FAULTS).then(|| rounded(1.0 - second as f64 / first as f64))
}

/// To four digits, a hundredth of a per cent: more would be noise in the reader's eye.
fn rounded(fraction: f64) -> f64 {
    (fraction * 1e4).round() / 1e4
}

fn find(checkpoints: &[Checkpoint], moment: Moment, round: u32) -> Option<&Checkpoint> {
    position(checkpoints, moment, round).map(|index| &checkpoints[index])
}

fn position(checkpoints: &[Checkpoint], moment: Moment, round: u32) -> Option<usize> {
    checkpoints
        .iter()
        .position(|checkpoint| checkpoint.name == moment && checkpoint.round == round)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::checkpoint;

    /// A run that occupies 100 MiB and keeps so many MiB after the drop, idling, activity, request.
    fn run(kept_mib: [i64; 4]) -> Vec<Checkpoint> {
        let moments = [
            (Moment::Baseline, 0, 0, 0),
            (Moment::Built, 1, 0, 100),
            (Moment::Dropped, 1, 0, kept_mib[0]),
            (Moment::Idle, 1, 500, kept_mib[1]),
            (Moment::Active, 1, 700, kept_mib[2]),
            (Moment::Released, 1, 700, kept_mib[3]),
        ];
        moments
            .into_iter()
            .map(|(name, round, clock_ms, mib)| checkpoint(name, round, clock_ms, mib * 1024))
            .collect()
    }

    #[track_caller]
    fn check(kept_mib: [i64; 4], returns: Returns, after_ms: Option<u64>) {
        let verdict = judge(&run(kept_mib)).unwrap();
        assert_eq!((verdict.returns, verdict.after_ms), (returns, after_ms));
    }

    #[test]
    fn the_first_occasion_names_the_verdict() {
        check([5, 5, 5, 5], Returns::AtOnce, Some(0));
        check([80, 5, 5, 5], Returns::WhenIdle, Some(500));
        check([80, 80, 5, 5], Returns::OnActivity, Some(700));
        check([80, 80, 80, 5], Returns::OnRequest, Some(700));
        check([80, 80, 80, 80], Returns::Partly, None);
        check([95, 95, 95, 95], Returns::Never, None);
    }

    #[test]
    fn a_full_collection_is_the_first_request() {
        let checkpoints = run([80, 80, 80, 5]);
        let request = |checkpoints: &[Checkpoint]| {
            let verdict = judge(checkpoints).unwrap();
            (verdict.returns, verdict.occasion)
        };
        for (kept_mib, occasion) in [(80, Moment::Released), (5, Moment::Collected)] {
            let mut checkpoints = checkpoints.clone();
            checkpoints.insert(5, checkpoint(Moment::Collected, 1, 700, kept_mib << 10));
            let expected = (Returns::OnRequest, Some(occasion));
            assert_eq!(request(&checkpoints), expected);
        }
    }

    #[test]
    fn ninety_percent_is_enough_and_less_is_not() {
        check([10, 10, 10, 10], Returns::AtOnce, Some(0));
        check([11, 11, 11, 11], Returns::Partly, None);
    }

    #[test]
    fn what_survives_is_not_held_against_the_allocator() {
        let mut checkpoints = run([28, 28, 28, 28]);
        assert_eq!(judge(&checkpoints).unwrap().returns, Returns::Partly);
        for after in &mut checkpoints[2..] {
            after.live_bytes = 20 << 20; // 8 MiB more than that is kept, of the 80 that were dropped
        }
        let verdict = judge(&checkpoints).unwrap();
        assert_eq!(verdict.returns, Returns::AtOnce);
        assert_eq!(verdict.survivors_kib, 20 << 10);
        assert_eq!(verdict.pin_amplification, Some(1.4));
        assert_eq!(verdict.returned[0].fraction, Some(0.9));
    }

    #[test]
    fn history_is_the_difference_between_the_first_drop_and_the_last() {
        let mut checkpoints = run([80, 80, 80, 80]);
        assert_eq!(judge(&checkpoints).unwrap().history, None, "one round");
        checkpoints.insert(2, checkpoint(Moment::Dropped, 1, 0, 0));
        for later in &mut checkpoints[3..] {
            later.round = 2;
        }
        assert_eq!(judge(&checkpoints).unwrap().history, Some(0.8));
    }

    #[test]
    fn the_traffic_that_it_took_is_counted() {
        let mut checkpoints = run([80, 80, 80, 5]);
        assert_eq!(judge(&checkpoints).unwrap().traffic_moments, None);
        checkpoints.insert(5, checkpoint(Moment::Active, 1, 900, 5 << 10));
        assert_eq!(judge(&checkpoints).unwrap().traffic_moments, Some(2));
    }

    #[test]
    fn what_one_drop_kept_and_the_next_round_returned_came_back_on_activity() {
        let mut checkpoints = run([5, 5, 5, 5]);
        checkpoints.insert(2, checkpoint(Moment::Dropped, 1, 0, 80 << 10));
        for later in &mut checkpoints[3..] {
            later.round = 2;
        }
        let verdict = judge(&checkpoints).unwrap();
        assert_eq!((verdict.returns, verdict.round), (Returns::OnActivity, 1));
        checkpoints[2].kept_kib = 5 << 10;
        let verdict = judge(&checkpoints).unwrap();
        assert_eq!((verdict.returns, verdict.round), (Returns::AtOnce, 2));
    }

    #[test]
    fn a_rebound_and_lazily_freed_pages_are_told() {
        let mut checkpoints = run([80, 80, 80, 5]);
        checkpoints[3].memory.lazy_kib = 50 << 10;
        checkpoints.push(checkpoint(Moment::Settled, 1, 700, 30 << 10));
        let verdict = judge(&checkpoints).unwrap();
        assert_eq!(verdict.rebound_kib, Some(25 << 10));
        assert_eq!(verdict.lazily, 0.5);
    }

    #[test]
    fn an_object_that_occupied_nothing_has_come_back() {
        let stream = [
            checkpoint(Moment::Built, 1, 0, 0),
            checkpoint(Moment::Dropped, 1, 0, 4),
        ];
        let verdict = judge(&stream).unwrap();
        assert_eq!(verdict.returns, Returns::AtOnce);
        assert_eq!(verdict.returned[0].fraction, None);
    }

    #[test]
    fn a_small_object_that_stays_is_not_excused_by_its_size() {
        let small = [
            checkpoint(Moment::Built, 1, 0, 720),
            checkpoint(Moment::Dropped, 1, 0, 720),
        ];
        assert_eq!(judge(&small).unwrap().returns, Returns::Never);
    }

    #[test]
    fn what_is_back_only_for_a_moment_of_the_occasion_is_not_back() {
        let mut checkpoints = run([80, 5, 80, 5]);
        let rebound = checkpoint(Moment::Idle, 1, 600, 80 << 10);
        checkpoints.insert(4, rebound);
        assert_eq!(judge(&checkpoints).unwrap().returns, Returns::OnRequest);
    }

    #[test]
    fn nothing_is_said_before_the_first_drop() {
        assert_eq!(judge(&run([80; 4])[..2]), None);
    }

    #[test]
    fn reuse_compares_the_faults_of_the_first_two_builds() {
        let mut checkpoints = run([80; 4]);
        checkpoints[1].minor_faults = Some(1_000);
        assert_eq!(judge(&checkpoints).unwrap().reuse, None, "one round");
        checkpoints.insert(3, checkpoint(Moment::Built, 2, 0, 0));
        checkpoints[3].minor_faults = Some(250);
        assert_eq!(reuse(&checkpoints), Some(0.75));
    }
}
