//! An allocator with a fault in its memory is told by the oracle for what it is, and by nothing else
//! than what it is.
//!
//! The faults are those of `planted-fault/memory.rs`. Each is planted over the base that shows it
//! most plainly, pool-alloc in most, which honestly returns all of it at once.

use driver::Plan;
use model::{Checkpoint, Moment, Returns, Verdict};
use suite::{Assertion, Cell, Control};

use crate::lab::{self, measure, plan};

/// Small blocks and little else, which every base but jemalloc and mimalloc returns at once.
const SCENARIO: &str = "blocks-forwards";

/// Some 64 MiB, arenas enough for halves and hundredths of them to be just that.
const SIZE: u64 = 400_000;

/// Runs the scenario under this base, as it honestly is and with the fault.
#[track_caller]
fn pair(base: &'static str, fault: &str, rounds: u32) -> [Vec<Checkpoint>; 2] {
    let control = Control::Fault(fault);
    let cells = suite::cells();
    let cell = |c: &&Cell| (c.scenario, c.allocator) == (SCENARIO, base);
    let cell = cells.iter().find(cell).expect("a cell of the suite");
    let pair = cell.pair(control, |name| lab::knob(base, name));
    let pair = pair.expect("the default settings");
    [pair.usual, pair.turned].map(|knob| {
        let plan = Plan {
            size: SIZE,
            rounds,
            ..plan(lab::PLANTED, SCENARIO, knob)
        };
        measure(&plan).1
    })
}

#[track_caller]
fn verdict(base: &'static str, fault: &str) -> Verdict {
    let [usual, turned] = pair(base, fault, 2);
    let verdict = |checkpoints: &[Checkpoint]| oracle::judge(checkpoints).expect("a verdict");
    let honest = verdict(&usual);
    assert_eq!((honest.lazily, honest.rebound_kib), (0.0, Some(0)));
    if base == "pool" {
        assert_eq!(honest.returns, Returns::AtOnce);
    }
    verdict(&turned)
}

/// The checkpoints after each drop.
fn dropped(checkpoints: &[Checkpoint]) -> impl Iterator<Item = &Checkpoint> {
    checkpoints.iter().filter(|c| c.name == Moment::Dropped)
}

#[test]
fn what_is_never_freed_never_returns() {
    for (base, _) in lab::ALLOCATORS {
        let verdict = verdict(base, "keeps");
        assert_eq!((verdict.returns, verdict.after_ms), (Returns::Never, None));
    }
}

#[test]
fn a_half_that_is_held_back_is_told_as_a_part() {
    let verdict = verdict("pool", "keeps-half");
    assert_eq!(verdict.returns, Returns::Partly);
    let at_first_drop = verdict.returned[0].fraction.expect("a part");
    assert!((0.4..0.6).contains(&at_first_drop), "{at_first_drop}");
}

#[test]
fn what_is_freed_three_seconds_late_returns_at_the_next_look_at_the_clock() {
    let verdict = verdict("pool", "late");
    assert_eq!(verdict.returns, Returns::WhenIdle);
    assert_eq!(verdict.after_ms, Some(10_000), "not yet after one second");
}

#[test]
fn what_is_freed_lazily_is_told_as_that() {
    for base in ["jemalloc", "mimalloc", "pool"] {
        let lazily = verdict(base, "lazy").lazily;
        assert!(lazily > 0.9, "{lazily} under {base}");
    }
}

#[test]
fn what_comes_back_after_the_release_is_a_rebound() {
    for (base, _) in lab::ALLOCATORS {
        assert_eq!(
            verdict(base, "rebounds").rebound_kib,
            Some(16 << 10),
            "{base}"
        );
    }
}

#[test]
fn a_leak_of_a_hundredth_a_round_grows_by_that_in_every_round() {
    const ROUNDS: u32 = 4; // after which pool-alloc may take it for a loop
    for (base, _) in lab::ALLOCATORS {
        let [usual, turned] = pair(base, "leaks", ROUNDS);
        let hundredth = usual.iter().find(|c| c.name == Moment::Built);
        let hundredth = hundredth.expect("a build").live_bytes as i64 / 1024 / 100;
        for (usual, turned) in dropped(&usual).zip(dropped(&turned)) {
            let leaked = turned.kept_kib - usual.kept_kib;
            let expected = hundredth * i64::from(turned.round);
            assert!(
                (leaked - expected).abs() < 64,
                "{base}: {leaked} for {expected}"
            );
        }
    }
    let [_, turned] = pair("pool", "leaks", ROUNDS);
    let history = oracle::judge(&turned).and_then(|verdict| verdict.history);
    let history = history.expect("several rounds");
    assert!(
        (0.025..0.035).contains(&history),
        "three rounds more: {history}"
    );
}

#[test]
fn a_false_account_changes_the_record_and_no_verdict() {
    let [usual, turned] = pair("pool", "claims-half", 2);
    let text = |assertion: Assertion| [&usual, &turned].map(|c| assertion.text(c));
    let [honest, told] = text(Assertion::Verdict);
    assert_eq!(honest, told);
    let [honest, told] = text(Assertion::Record);
    assert_ne!(honest, told);
    for (honest, told) in usual.iter().zip(&turned).filter(|(c, _)| c.round > 0) {
        assert_eq!(honest.kept_kib, told.kept_kib);
        let claim = |c: &Checkpoint| c.account.allocated_bytes.expect("a count") / 1024;
        assert_eq!(claim(told), claim(honest) / 2); // within a KiB: the fault's own name is held too
    }
}

/// Not those that free lazily: each processor counts such pages in batches, and what stands in
/// an unfinished one is not yet told to whoever asks.
#[test]
fn every_other_fault_strikes_the_same_in_every_run() {
    for fault in suite::FAULTS.into_iter().filter(|fault| *fault != "lazy") {
        let [first, again] = [(); 2].map(|()| {
            let [_, turned] = pair("pool", fault, 2);
            Assertion::Record.text(&turned)
        });
        assert_eq!(first, again, "{fault}");
    }
}
