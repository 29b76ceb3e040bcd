//! What the runs of a benchmark come to.
//!
//! ```text
//! best peer(round)    = the least ns_per_op of any peer in that round
//! ratio(round)        = ns_per_op / best peer(round)
//! ratio of a workload = the median of its rounds, with the least and the most
//! geomean             = the geometric mean of those medians over all workloads
//! ```
//!
//! Ratios are taken within a round, whose runs follow each other within seconds: what the machine
//! does meanwhile, it does to all of them. A round's best peer is whoever was fastest in it, so a
//! peer's ratio is at least 1, and that of the one which always won is 1 exactly. A contestant that
//! failed in one round is left out of all. The control, a round's best peer run once more in it, is held
//! against the run that made it the best, so chance alone puts it above 1.

use model::{Geomean, Spread, Standing, Status, TimedContestant, TimedWorkload};

/// Writes into each contestant what its runs come to.
pub fn write_spreads(workload: &mut TimedWorkload) {
    let best = best_peers(&workload.contestants);
    for contestant in &mut workload.contestants {
        if contestant.status == Status::Failed {
            continue;
        }
        let runs = &contestant.runs;
        let times = runs.iter().map(|run| run.ns_per_op);
        let ratios = times.clone().zip(&best);
        let ratios = ratios.filter_map(|(time, best)| Some(time / (*best)?));
        contestant.ns_per_op = spread(times.collect());
        contestant.ratio_to_best_peer = spread(ratios.collect());
        let kib = |kib: i64| kib as f64;
        let peaks = runs.iter().filter_map(|run| run.peak_kib.map(kib));
        let kept = runs.iter().map(|run| kib(run.kept_kib));
        contestant.peak_kib = spread(peaks.collect()).map(|s| s.median.round() as i64);
        contestant.kept_kib = spread(kept.collect()).map(|s| s.median.round() as i64);
    }
}

/// The fastest peer's time in each round; `None` in a round without one.
fn best_peers(contestants: &[TimedContestant]) -> Vec<Option<f64>> {
    let peers = || {
        let measured = contestants.iter().filter(|c| c.status != Status::Failed);
        measured.filter(|c| c.standing == Standing::Peer)
    };
    let rounds = contestants.iter().map(|c| c.runs.len()).max().unwrap_or(0);
    let best = |round: usize| {
        let runs = peers().filter_map(|peer| peer.runs.get(round));
        runs.map(|run| run.ns_per_op).min_by(f64::total_cmp)
    };
    (0..rounds).map(best).collect()
}

/// Each contestant over all workloads, limits left out. One that has no ratio in one of them has no
/// mean: over other workloads than the others' it would say nothing.
pub fn geomeans(workloads: &[TimedWorkload]) -> Vec<Geomean> {
    let mut names: Vec<&str> = Vec::new();
    let entries = || workloads.iter().flat_map(|workload| &workload.contestants);
    for entry in entries().filter(|entry| entry.standing != Standing::Limit) {
        if !names.contains(&entry.contestant.as_str()) {
            names.push(&entry.contestant);
        }
    }
    let of = |name: &str| {
        let own = entries().filter(|entry| entry.contestant == name);
        let ratios = own.map(|entry| entry.ratio_to_best_peer.map(|ratio| ratio.median));
        geometric_mean(&ratios.collect::<Option<Vec<f64>>>()?)
    };
    let mean = |name: &str| Geomean {
        contestant: name.to_owned(),
        ratio: of(name),
    };
    names.into_iter().map(mean).collect()
}

/// The least, the middle and the most; of an even number the middle is that between the two.
fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.sort_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let median = match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    };
    Some(Spread { min, median, max })
}

/// By logarithms: a product of many ratios could overflow.
fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (logarithms / ratios.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use model::TimedRun;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn contestant(name: &str, standing: Standing, times: &[f64]) -> TimedContestant {
        let run = |&ns_per_op: &f64| TimedRun {
            ns_per_op,
            timed_ms: 100.0,
            peak_kib: Some(8),
            kept_kib: 4,
        };
        TimedContestant {
            contestant: name.to_owned(),
            allocator: name.to_owned(),
            knob: "default".to_owned(),
            allocator_version: None,
            standing,
            status: Status::Measured,
            failure: None,
            ns_per_op: None,
            ratio_to_best_peer: None,
            peak_kib: None,
            kept_kib: None,
            runs: times.iter().map(run).collect(),
        }
    }

    /// A workload with what its runs come to.
    fn workload(contestants: Vec<TimedContestant>) -> TimedWorkload {
        let mut workload = TimedWorkload {
            name: "w".to_owned(),
            summary: String::new(),
            operation: String::new(),
            peak_live_kib: None,
            program_kib: None,
            contestants,
        };
        write_spreads(&mut workload);
        workload
    }

    fn ratio(workload: &TimedWorkload, index: usize) -> Spread {
        let ratio = workload.contestants[index].ratio_to_best_peer;
        ratio.expect("a ratio")
    }

    #[test]
    fn a_ratio_is_to_the_fastest_peer_of_its_own_round() {
        let workload = workload(vec![
            contestant("a", Standing::Peer, &[10.0, 40.0, 10.0]),
            contestant("b", Standing::Peer, &[20.0, 20.0, 20.0]),
            contestant("pool", Standing::Ours, &[5.0, 30.0, 20.0]),
            contestant("limit", Standing::Limit, &[1.0, 1.0, 1.0]),
            contestant("again", Standing::Control, &[9.0, 22.0, 12.0]),
        ]);
        let spread = |min, median, max| Spread { min, median, max };
        assert_eq!(ratio(&workload, 0), spread(1.0, 1.0, 2.0));
        assert_eq!(ratio(&workload, 1), spread(1.0, 2.0, 2.0));
        assert_eq!(ratio(&workload, 2), spread(0.5, 1.5, 2.0));
        assert_eq!(ratio(&workload, 3), spread(0.05, 0.1, 0.1));
        assert_eq!(ratio(&workload, 4), spread(0.9, 1.1, 1.2));
        assert_eq!(
            workload.contestants[0].ns_per_op,
            Some(spread(10.0, 10.0, 40.0))
        );
        assert_eq!(workload.contestants[0].peak_kib, Some(8));
        assert_eq!(workload.contestants[0].kept_kib, Some(4));
    }

    #[test]
    fn one_that_failed_is_neither_judged_nor_anybodys_best_peer() {
        let mut failed = contestant("a", Standing::Peer, &[1.0]);
        failed.status = Status::Failed;
        let b = contestant("b", Standing::Peer, &[2.0, 2.0]);
        let workload = workload(vec![failed, b]);
        assert_eq!(workload.contestants[0].ns_per_op, None);
        assert_eq!(ratio(&workload, 1).max, 1.0);
        let means = geomeans(&[workload]);
        assert_eq!(means[0].ratio, None);
        assert_eq!(means[1].ratio, Some(1.0));
    }

    #[test]
    fn without_a_peer_there_is_no_ratio() {
        let workload = workload(vec![contestant("pool", Standing::Ours, &[1.0])]);
        assert_eq!(workload.contestants[0].ratio_to_best_peer, None);
        assert_eq!(geomeans(&[workload])[0].ratio, None);
    }

    #[test]
    fn limits_have_no_mean() {
        let workload = workload(vec![
            contestant("a", Standing::Peer, &[1.0]),
            contestant("limit", Standing::Limit, &[1.0]),
        ]);
        let names: Vec<String> = geomeans(&[workload])
            .into_iter()
            .map(|m| m.contestant)
            .collect();
        assert_eq!(names, ["a"]);
    }

    proptest! {
        #[test]
        fn a_spread_is_in_order_and_does_not_mind_the_values(values in vec(1e-3..1e9, 1..20)) {
            let found = spread(values.clone()).unwrap();
            prop_assert!(found.min <= found.median && found.median <= found.max);
            let reversed = values.iter().rev().copied().collect();
            prop_assert_eq!(spread(reversed), Some(found));
            let half = values.len().div_ceil(2);
            prop_assert!(values.iter().filter(|v| **v <= found.median).count() >= values.len() - half);
            prop_assert!(values.iter().filter(|v| **v >= found.median).count() >= values.len() - half);
        }

        #[test]
        fn in_every_round_some_peer_is_the_best(
            rounds in vec((1e-3..1e9, 1e-3..1e9, 1e-3..1e9), 1..8)
        ) {
            let times = |of: fn(&(f64, f64, f64)) -> f64| rounds.iter().map(of).collect::<Vec<_>>();
            let workload = workload(vec![
                contestant("a", Standing::Peer, &times(|r| r.0)),
                contestant("b", Standing::Peer, &times(|r| r.1)),
                contestant("c", Standing::Peer, &times(|r| r.2)),
            ]);
            let least = (0..3).map(|index| ratio(&workload, index).min);
            prop_assert_eq!(least.clone().reduce(f64::min), Some(1.0));
            prop_assert!(least.clone().all(|min| min >= 1.0));
        }

        #[test]
        fn a_mean_lies_between_its_ratios_and_scales_with_them(
            ratios in vec(1e-3..1e3, 1..40), factor in 0.1..10.0_f64
        ) {
            let mean = geometric_mean(&ratios).unwrap();
            let Spread { min, max, .. } = spread(ratios.clone()).unwrap();
            prop_assert!(mean >= min * (1.0 - 1e-9) && mean <= max * (1.0 + 1e-9));
            let scaled: Vec<f64> = ratios.iter().map(|ratio| ratio * factor).collect();
            let scaled = geometric_mean(&scaled).unwrap();
            prop_assert!((scaled / (mean * factor) - 1.0).abs() < 1e-9);
        }
    }
}
