//! Ledgers of runs that are no cell of the suite: every resident byte once, and none without evidence.
//! That of each cell is asserted with its snapshots (`retention.rs`).

use model::{Entry, Knob, Moment};

use crate::lab::{self, executable, measure, plan};

/// The largest part of what was occupied that may be unexplained.
const UNEXPLAINED: f64 = suite::ledger::UNEXPLAINED;

/// The kernel's figure and `mincore` both have pages that were freed with `MADV_FREE`.
#[test]
fn lazily_freed_pages_are_counted_once() {
    let knob = lab::knob("mimalloc", "purge-resets").expect("a knob of the catalogue");
    let (_, checkpoints) = measure(&plan(executable("mimalloc"), "tree", knob));
    let dropped = checkpoints.iter().find(|c| c.name == Moment::Dropped);
    let lazy_kib = dropped.expect("a drop").memory.lazy_kib;
    assert!(lazy_kib > 50_000, "{lazy_kib} KiB");
    let share = oracle::unexplained(&checkpoints).expect("a large object");
    assert!(share <= UNEXPLAINED, "{share} unexplained");
}

/// The subject with planted faults tells what the program holds, and nothing of what its base keeps.
#[test]
fn what_an_allocator_does_not_tell_is_unexplained() {
    let knob = Knob::variable("AFTERDROP_BASE", "jemalloc");
    let (introduction, checkpoints) = measure(&plan(lab::PLANTED, "int-list", knob));
    let share = oracle::unexplained(&checkpoints).expect("a large object");
    assert!(share > 0.5, "{share} unexplained");
    let verdict = oracle::judge(&checkpoints).expect("a verdict");
    let cause = oracle::cause(&introduction.parts, None, &checkpoints, &verdict);
    let sentence = cause.expect("a cause").sentence;
    assert!(
        sentence.contains("the evidence does not suffice"),
        "{sentence}"
    );
}

/// A C library beside Rust uses `malloc` whatever Rust uses, and is told apart.
#[test]
fn what_the_c_library_keeps_is_not_rusts() {
    for allocator in ["jemalloc", "mimalloc", "pool"] {
        let knob = Knob::default_settings();
        let (_, checkpoints) = measure(&plan(executable(allocator), "c-library", knob));
        let dropped = checkpoints.iter().rfind(|c| c.name == Moment::Dropped);
        let ledger = &dropped.expect("a drop").ledger;
        let kib = |name| {
            let entry = ledger.iter().find(|entry: &&Entry| entry.name == name);
            entry.expect("an entry of this name").kib
        };
        // Half of 3,000,000 integers, in chunks of 32 bytes.
        assert!(
            kib("malloc's fastbins") > 1_450_000 * 32 / 1024,
            "{allocator}: {ledger:?}"
        );
    }
}
