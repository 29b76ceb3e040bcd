//! Retention curves: the clock runs on, in the lab at once and on the machine as it is in real time.

use serde_json::Value;

use crate::run::{Outcome, finish, xtask};

/// Large enough for retention to be more than the noise floor.
const SIZE: &str = "200000";

#[track_caller]
fn curve(arguments: &[&str]) -> Outcome {
    let mut command = xtask(&["curve", "--scenario", "int-list", "--size", SIZE]);
    let outcome = finish(command.args(arguments));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    outcome
}

#[track_caller]
fn document(arguments: &[&str]) -> Value {
    let outcome = curve(&[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&outcome.stdout).expect("one document")
}

fn times(points: &Value) -> Vec<u64> {
    let points = points.as_array().expect("a list").iter();
    points
        .map(|point| point["clock_ms"].as_u64().expect("a time"))
        .collect()
}

#[test]
fn a_curve_runs_from_the_drop_to_an_hour_in_each_mode() {
    let document = document(&["--allocator", "mimalloc"]);
    let curves = document["curves"].as_array().expect("curves");
    let modes: Vec<&Value> = curves.iter().map(|curve| &curve["mode"]).collect();
    assert_eq!(modes, ["idle", "active"]);
    for curve in curves {
        let times = times(&curve["points"]);
        assert_eq!((times[0], times[1], times[2]), (0, 1, 2));
        assert_eq!((times.len(), times.last()), (22, Some(&3_600_000)));
    }
    let [idle, active] = &curves[..] else {
        unreachable!("two of them")
    };
    assert_eq!(idle["t90_ms"], Value::Null, "nobody looks at the delay");
    assert_eq!(active["t90_ms"], 1_000, "mimalloc's own delay");
}

#[test]
fn each_knob_has_its_curves() {
    let knobs = ["--knob", "default", "--knob", "purge-delay-10"];
    let arguments = [&["--allocator", "mimalloc", "--for", "1s"], &knobs[..]].concat();
    let document = document(&arguments);
    let curves = document["curves"].as_array().expect("curves").iter();
    let t90: Vec<_> = curves
        .filter(|curve| curve["mode"] == "active")
        .map(|curve| (curve["knob"].as_str(), curve["t90_ms"].as_u64()))
        .collect();
    let expected = [("default", Some(1_000)), ("purge-delay-10", Some(10))];
    assert_eq!(t90, expected.map(|(knob, ms)| (Some(knob), ms)));
}

#[test]
fn the_table_fits_a_hundred_columns_without_colour() {
    let table = curve(&[]).stdout;
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{table}");
    assert!(!table.contains('\x1b'), "{table}");
}

#[test]
fn real_time_is_announced_and_read_from_the_subjects_own_clock() {
    let real = ["--allocator", "pool", "--for", "50ms"];
    let real = [&real[..], &["--conditions", "host", "--format", "json"]].concat();
    let outcome = curve(&real);
    let announced = "host conditions wait in real time: about 50ms a cell, 100ms in all";
    assert!(outcome.stderr.contains(announced), "{}", outcome.stderr);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("one document");
    let times = times(&document["curves"][0]["points"]);
    assert_eq!((times.len(), times[0]), (7, 0));
    assert!(times[6] >= 50, "{times:?}");
}

#[test]
fn a_knob_that_the_lab_clock_does_not_reach_is_named() {
    let thread = ["--allocator", "jemalloc", "--knob", "background-thread"];
    let in_the_lab = curve(&[&thread[..], &["--for", "1s"]].concat()).stderr;
    assert!(
        in_the_lab.contains("--conditions host shows"),
        "{in_the_lab}"
    );
    let on_the_host = ["--for", "1ms", "--conditions", "host"];
    let on_the_host = curve(&[&thread[..], &on_the_host].concat()).stderr;
    assert!(
        !on_the_host.contains("--conditions host shows"),
        "{on_the_host}"
    );
}
