//! What a comparison looks like, for a terminal and for Markdown; and curves, for a terminal.

mod support;

use afterdrop_report as report;
use afterdrop_report::Width;
use insta::assert_snapshot;
use model::{
    Account, Cell, Checkpoint, Comparison, Conditions, Curve, Curves, Memory, Mode, Moment, Point,
    Returned, Returns, SCHEMA_VERSION, Status, Timings, Verdict,
};
use support::plain;

/// A cell that occupied so much and kept these parts of it after its two drops, after idling, after
/// activity, and when asked.
fn cell(
    allocator: &str,
    scenario: &str,
    occupied_kib: i64,
    kept: [f64; 5],
    returns: Returns,
) -> Cell {
    let moments = [
        (Moment::Built, 1, 0),
        (Moment::Dropped, 1, 0),
        (Moment::Dropped, 2, 0),
        (Moment::Idle, 2, 60_000),
        (Moment::Active, 2, 120_000),
        (Moment::Released, 2, 120_000),
    ];
    let places = moments.into_iter().zip([1.0].into_iter().chain(kept));
    let checkpoints = places
        .clone()
        .map(|((name, round, clock_ms), part)| Checkpoint {
            name,
            round,
            clock_ms,
            kept_kib: (occupied_kib as f64 * part) as i64,
            memory: Memory::default(),
            minor_faults: None,
            cpu_ms: 0.0,
            live_bytes: 0,
            account: Account::default(),
            ledger: Vec::new(),
        });
    let returned = places
        .skip(1)
        .map(|((name, round, clock_ms), part)| Returned {
            name,
            round,
            clock_ms,
            fraction: Some(1.0 - part),
        });
    Cell {
        allocator: allocator.to_owned(),
        allocator_title: Some(format!("{allocator} malloc")),
        allocator_version: Some("1".to_owned()),
        scenario: scenario.to_owned(),
        python: None,
        machine: None,
        size: 5_120_000,
        seed: 1,
        knob: "default".to_owned(),
        turned: None,
        chosen: None,
        conditions: Conditions::Lab,
        upheld: None,
        release_call: Some("release()".to_owned()),
        status: Status::Measured,
        failure: None,
        parts: Vec::new(),
        cause: None,
        checkpoints: checkpoints.collect(),
        verdict: Some(Verdict {
            returns,
            occasion: None,
            after_ms: after_ms(returns),
            traffic_moments: None,
            round: 2,
            unexplained: None,
            occupied_kib,
            survivors_kib: 0,
            pin_amplification: None,
            lazily: 0.0,
            rebound_kib: None,
            history: None,
            reuse: Some(0.8),
            returned: returned.collect(),
        }),
    }
}

fn after_ms(returns: Returns) -> Option<u64> {
    match returns {
        Returns::AtOnce => Some(0),
        Returns::WhenIdle => Some(60_000),
        Returns::OnActivity | Returns::OnRequest => Some(120_000),
        Returns::Partly | Returns::Never => None,
    }
}

fn failed(allocator: &str, scenario: &str) -> Cell {
    Cell {
        status: Status::Failed,
        failure: Some("killed by SIGKILL while asked to build".to_owned()),
        checkpoints: Vec::new(),
        verdict: None,
        ..cell(allocator, scenario, 0, [0.0; 5], Returns::Never)
    }
}

fn comparison(cells: Vec<Cell>) -> Comparison {
    Comparison {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: "0.0.0".to_owned(),
        command: "cargo xtask compare".to_owned(),
        host: support::host(),
        cells,
        machines: Vec::new(),
        shard: None,
        interrupted: false,
        timings: Timings::default(),
    }
}

/// Every kind of verdict, a failure, and an object of next to nothing.
fn everything() -> Comparison {
    comparison(vec![
        cell(
            "a",
            "list",
            204_800,
            [0.8, 1.0, 1.0, 0.01, 0.0],
            Returns::OnActivity,
        ),
        cell(
            "b",
            "list",
            204_800,
            [0.8, 0.8, 0.8, 0.8, 0.0],
            Returns::OnRequest,
        ),
        failed("c", "list"),
        cell("a", "stream", 16, [0.5; 5], Returns::AtOnce),
        cell("b", "stream", 10_240, [1.0; 5], Returns::Never),
        cell(
            "c",
            "stream",
            10_240,
            [1.0, 1.0, 0.0, 0.0, 0.0],
            Returns::WhenIdle,
        ),
    ])
}

#[test]
fn a_table_for_each_scenario_and_a_sentence_for_each_allocator() {
    assert_snapshot!(plain(&report::terminal(&everything(), Width::Endless)));
}

#[test]
fn the_same_in_markdown() {
    assert_snapshot!(report::markdown(&everything()));
}

#[test]
fn a_single_cell_needs_no_names() {
    let alone = |returns| {
        let cells = vec![cell("a", "list", 204_800, [0.8; 5], returns)];
        report::sentences(&comparison(cells)).join("\n")
    };
    assert_snapshot!(alone(Returns::OnRequest), @"a malloc keeps 80 % until asked: release() returns it");
    assert_snapshot!(alone(Returns::AtOnce), @"a malloc returns the memory at once");
    assert_snapshot!(alone(Returns::Never), @"a malloc keeps 80 % for good, release() or not");
}

/// A curve that keeps so many MiB of 100 at each of its times.
fn curve(cell: Cell, mode: Mode, t50_ms: Option<u64>, kept_mib: &[(u64, i64)]) -> Curve {
    let point = |&(clock_ms, mib): &(u64, i64)| Point {
        clock_ms,
        kept_kib: mib * 1024,
        kept_fraction: Some(mib as f64 / 100.0),
    };
    Curve {
        mode,
        t50_ms,
        t90_ms: None,
        points: kept_mib.iter().map(point).collect(),
        cell,
    }
}

/// One that stays, one that falls while the program is active, and one that failed on its way.
#[test]
fn curves_are_a_table_for_each_mode_and_bars() {
    let comparison = comparison(Vec::new());
    let stays = [(0, 101), (1, 101), (2, 101), (5, 101), (10, 101)];
    let falls = [(0, 80), (1, 80), (2, 80), (5, 31), (10, 5)];
    let a = || cell("a", "list", 102_400, [1.0; 5], Returns::Never);
    let turned = || Cell {
        knob: "LONG_NAME=one:true,two:10".to_owned(),
        ..a()
    };
    let died = || Cell {
        checkpoints: Vec::new(),
        ..failed("b", "list")
    };
    let curves = Curves {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: comparison.afterdrop_version,
        command: "cargo xtask curve".to_owned(),
        host: comparison.host,
        times_ms: vec![0, 1, 2, 5, 10],
        curves: vec![
            curve(a(), Mode::Idle, None, &stays),
            curve(turned(), Mode::Idle, None, &stays),
            curve(died(), Mode::Idle, None, &stays[..2]),
            curve(a(), Mode::Active, None, &stays),
            curve(turned(), Mode::Active, Some(5), &falls),
            curve(died(), Mode::Active, None, &[]),
        ],
        interrupted: false,
        timings: Timings {
            after_drop_ms: 12.3,
            ..Timings::default()
        },
    };
    assert_snapshot!(plain(&report::curves(&curves, Width::Endless)));
    assert_snapshot!(report::real_time(&curves), @"6 curves over 10 ms of the clock: 12 ms of real time after the drops, in all");
}

#[test]
fn what_measuring_cost_is_one_line() {
    let timings = Timings {
        subject_ms: 1_000.0,
        account_ms: 50.0,
        probe_ms: 40.0,
        driver_ms: 10.0,
        after_drop_ms: 300.0,
    };
    assert_snapshot!(report::timings(&timings));
}
