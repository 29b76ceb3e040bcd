//! The FAQ's answer, measured: what a list of ints leaves in Python, by version, and what does not.
//!
//! The figures are those of the model over the C library's malloc, in KiB that the kernel counts. Each
//! claim has its control beside it: another version, or another statement, of which it does not hold.

use model::{Checkpoint, Entry, Knob, Moment};

use crate::lab::{executable, measure, plan};
use driver::Plan;

/// `range(50*1024*100)` has so many ints of 12 bytes on 32 bits.
const FAQ_INTS_KIB: i64 = 50 * 1024 * 100 * 12 / 1024;

/// The pointers to them.
const FAQ_ITEMS_KIB: i64 = 50 * 1024 * 100 * 4 / 1024;

fn run(scenario: &str, python: &str, allocator: &str) -> Vec<Checkpoint> {
    let plan = Plan {
        python: Some(python.to_owned()),
        ..plan(executable(allocator), scenario, Knob::default_settings())
    };
    measure(&plan).1
}

fn at(run: &[Checkpoint], moment: Moment, round: u32) -> &Checkpoint {
    let found = run.iter().rfind(|c| (c.name, c.round) == (moment, round));
    found.expect("a checkpoint of every run")
}

fn kib(checkpoint: &Checkpoint, name: &str) -> i64 {
    let mut entries = checkpoint.ledger.iter();
    let entry = entries.find(|entry: &&Entry| entry.name == name);
    entry.expect("an entry of this name").kib
}

#[test]
fn python_2_4_keeps_more_than_60_mb_and_gives_the_list_of_pointers_back() {
    let run = run("python-int-list", "2.4-32", "system");
    let [built, dropped] = [Moment::Built, Moment::Dropped].map(|moment| at(&run, moment, 1));
    assert!(dropped.kept_kib * 1024 > 60_000_000, "{}", dropped.kept_kib);
    let gone = built.kept_kib - dropped.kept_kib;
    assert!(
        (FAQ_ITEMS_KIB..=FAQ_ITEMS_KIB + 8).contains(&gone),
        "{gone}"
    );
    let free_list = kib(dropped, "Python's immortal free lists");
    // The last block's other slots, and those that the interpreter's own ints left.
    assert!(
        (FAQ_INTS_KIB - 4..=FAQ_INTS_KIB + 4).contains(&free_list),
        "{free_list}"
    );
    let end = at(&run, Moment::Settled, 2);
    assert!(
        end.kept_kib * 1024 > 60_000_000,
        "and for good: {}",
        end.kept_kib
    );

    let modern = self::run("python-int-list", "3.13", "system");
    assert!(at(&modern, Moment::Dropped, 2).kept_kib < 1024);
}

#[test]
fn the_same_ints_one_at_a_time_keep_at_most_one_block() {
    for python in ["2.4-32", "2.4", "2.7", "3.13"] {
        let run = run("python-int-stream", python, "system");
        let drops = run.iter().filter(|c| c.name == Moment::Dropped);
        let most = drops.map(|c| c.kept_kib).max().expect("two drops");
        assert!(most <= 4, "{python}: {most} KiB"); // a page, for a block of 1,000 bytes
    }
}

#[test]
fn a_full_collection_empties_the_free_list_of_2_7_and_not_that_of_2_4() {
    for (python, emptied) in [("2.4", false), ("2.7", true)] {
        // Over an allocator that gives blocks back at once.
        let run = run("python-int-list", python, "pool");
        let [active, collected] = [Moment::Active, Moment::Collected].map(|m| at(&run, m, 2));
        assert!(active.kept_kib > 100 << 10, "{python}: {}", active.kept_kib);
        assert_eq!(
            collected.kept_kib < 1024,
            emptied,
            "{python}: {}",
            collected.kept_kib
        );
    }
}

#[test]
fn what_the_collection_of_2_7_frees_the_c_library_keeps_below_its_top() {
    let run = run("python-int-list", "2.7", "system");
    let [active, collected, released] =
        [Moment::Active, Moment::Collected, Moment::Released].map(|m| at(&run, m, 2));
    let free_list = kib(active, "Python's unbounded free lists");
    let chunks = kib(collected, "malloc's free chunks");
    assert!(
        free_list > 100 << 10 && chunks > free_list,
        "{free_list}, {chunks}"
    );
    assert!(collected.kept_kib > 100 << 10, "{}", collected.kept_kib);
    assert!(released.kept_kib < 1024, "{}", released.kept_kib);
}

#[test]
fn arenas_of_2_4_never_go_back_and_those_of_2_5_do() {
    let kept = |python| {
        let run = run("python-strings-100", python, "pool");
        let of = |moment| at(&run, moment, 1).kept_kib as f64;
        let settled = at(&run, Moment::Settled, 2).kept_kib as f64;
        settled / of(Moment::Built)
    };
    let (in_2_4, in_2_5) = (kept("2.4"), kept("2.5"));
    assert!(in_2_4 > 0.9 && in_2_5 < 0.05, "{in_2_4}, {in_2_5}");
}

#[test]
fn one_object_in_16_384_pins_two_thirds_in_the_free_pools_of_its_arenas() {
    let run = run("python-objects", "3.13", "system");
    let [built, dropped] = [Moment::Built, Moment::Dropped].map(|moment| at(&run, moment, 1));
    let pools = kib(dropped, "Python's free pools");
    assert!(2 * pools > built.kept_kib, "{pools} of {}", built.kept_kib);
    assert!(dropped.live_bytes < 8 << 10, "{} bytes", dropped.live_bytes);
    // Without a survivor nothing is pinned.
    let all_gone = self::run("python-float-list", "3.13", "system");
    assert!(kib(at(&all_gone, Moment::Dropped, 1), "Python's free pools") < 1024);
}
