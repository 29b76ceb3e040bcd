//! What is said of runs made by hand.

use super::*;
use crate::fixture::checkpoint;
use crate::{judge, write_ledgers};

const PARTS: [Part; 3] = [
    Part::new(
        "blocks",
        Holds::Blocks,
        "allocated",
        "which wait for their owner",
    ),
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
    write_ledgers(&PARTS, &mut run);
    cause(&PARTS, Some("purge()"), &run, &judge(&run).unwrap()).unwrap()
}

/// The same with a full collection between activity and request, and nothing alive.
fn run_with_collector(after: [[u64; 2]; 5]) -> Vec<Checkpoint> {
    let [dropped, idle, active, collected, released] = after;
    let mut run_so_far = run([dropped, idle, active, collected], 0);
    run_so_far[5].name = Moment::Collected;
    run_so_far.extend(run([dropped, idle, active, released], 0).pop());
    run_so_far
}

#[track_caller]
fn check(after: [[u64; 2]; 4], alive_kib: u64, sentence: &str) {
    assert_eq!(concluded(run(after, alive_kib)).sentence, sentence);
}

/// Blocks of which the allocator says that they are in use, and the scenario that it holds none.
#[test]
fn of_blocks_that_nobody_holds_it_is_said_what_keeps_them_there() {
    let mut run = run([[0, 0]; 4], 80 << 10);
    for checkpoint in run.iter_mut().skip(2) {
        checkpoint.live_bytes = 0;
    }
    let cause = concluded(run).sentence;
    let told =
        "80.0 MiB are kept with nothing alive: 80.0 MiB in rounding, which wait for their owner; ";
    assert!(cause.starts_with(told), "{cause}");
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
         80.0 MiB."
    );
}

#[test]
fn an_account_that_claims_more_than_there_is_names_nobody() {
    let mut boastful = run([[80, 0], [80, 0], [0, 0], [0, 0]], 0);
    boastful[2].account.parts[1].value *= 2;
    let cause = concluded(boastful);
    let start = "80.0 MiB are kept with nothing alive, and the evidence does not suffice: the account \
                 has 80.0 MiB too much";
    assert!(cause.sentence.starts_with(start), "{}", cause.sentence);
}

#[test]
fn what_was_freed_lazily_is_not_kept_and_holds_nothing() {
    let mut lazy = run([[80, 0], [80, 0], [0, 0], [0, 0]], 0);
    lazy[2].memory.anonymous_kib += 200 << 10;
    lazy[2].memory.lazy_kib = 200 << 10;
    let cause = concluded(lazy);
    assert!(
        cause.sentence.contains("80.0 MiB in bins"),
        "{}",
        cause.sentence
    );
    assert!(!cause.sentence.contains("lazily"), "{}", cause.sentence);
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

#[test]
fn what_a_collection_returns_and_what_it_only_hands_down_is_told() {
    const KEPT: &str = "80.0 MiB are kept with nothing alive: 80.0 MiB in bins, which nobody empties; \
                        in 60 s without a call: 0 ticks; a full collection ";
    let check = |collected, told: &str| {
        let run = run_with_collector([[80, 0], [80, 0], [80, 0], collected, [0, 0]]);
        assert_eq!(judge(&run).unwrap().returns, Returns::OnRequest);
        assert_eq!(concluded(run).sentence, KEPT.to_owned() + told);
    };
    check([0, 0], "returned 80.0 MiB.");
    check(
        [0, 80],
        "hands it down, 80.0 MiB in caches, which a thread keeps.",
    );
}
