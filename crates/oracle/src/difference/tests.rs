//! What counts as a change, in the lab and on a host.

use model::{Cause, Evidence, Returns, Status, Upheld};

use super::*;
use crate::fixture::{cell, comparison};

/// A cell under lab conditions that held.
fn exact() -> Cell {
    let upheld = Upheld {
        lab_clock: true,
        seeded_randomness: true,
        fixed_addresses: true,
        no_huge_pages: true,
        one_cpu: true,
    };
    Cell {
        upheld: Some(upheld),
        ..cell(100.0, 10.0, 50.0, 25_600)
    }
}

fn host() -> Cell {
    Cell {
        conditions: Conditions::Host,
        ..exact()
    }
}

/// The changes from `old` to what `change` makes of it, and whether they count.
#[track_caller]
fn check(old: &Cell, change: impl FnOnce(&mut Cell), expected: usize, counts: bool) {
    let mut new = old.clone();
    change(&mut new);
    let old = comparison(vec![old.clone()]);
    let found = differences(&old, &comparison(vec![new]), Missing::Gone);
    let changes: usize = found.cells.iter().map(|cell| cell.changes.len()).sum();
    assert_eq!(changes, expected, "{found:?}");
    assert_eq!(found.changed().count() == 1, counts, "{found:?}");
    assert_eq!(found.same, usize::from(expected == 0));
}

#[test]
fn nothing_differs_from_itself() {
    check(&exact(), |_| {}, 0, false);
    check(&host(), |_| {}, 0, false);
}

#[test]
fn one_page_is_a_change_in_the_lab_and_noise_on_a_host() {
    let a_page = |cell: &mut Cell| cell.checkpoints[1].kept_kib += 4;
    check(&exact(), a_page, 1, true);
    check(&host(), a_page, 1, false);
    // Where a condition did not hold, the lab is none.
    let mut open = exact();
    open.upheld.as_mut().expect("it said hello").fixed_addresses = false;
    check(&open, a_page, 1, false);
}

#[test]
fn a_fault_is_noise_anywhere() {
    let a_fault = |cell: &mut Cell| cell.checkpoints[0].minor_faults = Some(25_601);
    check(&exact(), a_fault, 1, false);
    check(&host(), a_fault, 1, false);
}

#[test]
fn a_lot_is_a_change_and_faults_only_in_the_lab() {
    let a_lot = |cell: &mut Cell| cell.checkpoints[1].kept_kib += 60 * 1024;
    check(&host(), a_lot, 1, true);
    let some = |cell: &mut Cell| cell.checkpoints[1].kept_kib += 40 * 1024;
    check(&host(), some, 1, false);
    let faults = |cell: &mut Cell| cell.checkpoints[0].minor_faults = Some(51_200);
    check(&exact(), faults, 1, true);
    check(&host(), faults, 1, false);
}

#[test]
fn cpu_time_is_never_more_than_noise() {
    let slower = |by: f64| move |cell: &mut Cell| cell.checkpoints[0].cpu_ms *= by;
    check(&exact(), slower(1.5), 0, false);
    check(&exact(), slower(20.0), 1, false);
}

#[test]
fn verdicts_versions_causes_and_failures_count() {
    let verdict = |cell: &mut Cell| {
        cell.verdict.as_mut().expect("it is judged").returns = Returns::Never;
    };
    check(&host(), verdict, 1, true);
    let version = |cell: &mut Cell| cell.allocator_version = Some("2".to_owned());
    check(&host(), version, 1, true);
    let failed = |cell: &mut Cell| {
        cell.status = Status::Failed;
        cell.failure = Some("it died".to_owned());
        cell.checkpoints.pop();
    };
    check(&host(), failed, 2, true);
    let because = |name: &str, value| {
        let figure = Evidence {
            name: name.to_owned(),
            value,
            when: "dropped 1".to_owned(),
            source: "s".to_owned(),
        };
        Some(Cause {
            sentence: format!("{value} in {name}"),
            evidence: vec![figure],
        })
    };
    let old = Cell {
        cause: because("fastbins_kib", 1),
        ..host()
    };
    check(
        &old,
        |cell| cell.cause = because("fastbins_kib", 2),
        0,
        false,
    );
    check(&old, |cell| cell.cause = because("tcache_kib", 1), 1, true);
    check(&old, |cell| cell.cause = None, 1, true);
}

#[test]
fn cells_come_and_go() {
    let another = Cell {
        knob: "k".to_owned(),
        ..exact()
    };
    let (one, two) = (
        comparison(vec![exact()]),
        comparison(vec![exact(), another]),
    );
    let kinds = |old, new, missing| {
        let found = differences(old, new, missing);
        let changes = found.cells.into_iter().flat_map(|cell| cell.changes);
        changes.collect::<Vec<_>>()
    };
    assert_eq!(kinds(&one, &two, Missing::Gone), [Change::Added]);
    assert_eq!(kinds(&two, &one, Missing::Gone), [Change::Gone]);
    assert_eq!(kinds(&two, &one, Missing::LeftOut), []);
}

#[test]
fn two_cells_of_one_name_are_two() {
    let other = cell(50.0, 10.0, 50.0, 25_600);
    let twice = comparison(vec![exact(), other, exact()]);
    let found = differences(&twice, &twice, Missing::Gone);
    assert_eq!((found.same, found.cells.len()), (3, 0));
}

#[test]
fn another_failure_is_a_change() {
    let failed = |why: &str| Cell {
        status: Status::Failed,
        failure: Some(why.to_owned()),
        ..exact()
    };
    let old = failed("it died of one thing");
    check(&old, |_| {}, 0, false);
    check(&old, |cell| *cell = failed("it died of another"), 1, true);
}

#[test]
fn numbers_as_large_as_they_come_are_compared() {
    let huge = |cell: &mut Cell| {
        cell.checkpoints[1].kept_kib = i64::MIN;
        cell.checkpoints[0].minor_faults = Some(u64::MAX);
        cell.checkpoints[1].minor_faults = Some(u64::MAX);
    };
    check(&exact(), huge, 2, true);
}

#[test]
fn circumstances_are_named() {
    let old = comparison(Vec::new());
    let mut new = old.clone();
    new.host.glibc = Some("2.41".to_owned());
    let found = differences(&old, &new, Missing::Gone);
    let names: Vec<&str> = found.circumstances.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["glibc"]);
}

#[test]
fn a_checkpoint_at_another_time_is_another_one_in_the_lab() {
    let later = |cell: &mut Cell| cell.checkpoints[1].clock_ms += 10;
    check(&exact(), later, 1, true);
    check(&host(), later, 0, false);
}
