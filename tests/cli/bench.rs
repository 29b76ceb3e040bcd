//! `bench`: what it prints and writes, for two quick workloads. Nothing is said of time.

use std::process::Command;

use serde_json::Value;

use crate::run::{Bench, Outcome, finish, xtask};

/// Two workloads that hold next to nothing, once each.
fn quick(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = xtask(&["bench", "--workload", "pair", "--workload", "lifo-24"]);
    command.args(["--rounds", "1", "--out"]);
    command.arg(bench.path("result.json")).args(arguments);
    command
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|entry| entry[key].as_str().expect("a name"))
        .collect()
}

const CONTESTANTS: [&str; 7] = [
    "system",
    "jemalloc",
    "jemalloc decay-0",
    "mimalloc",
    "mimalloc purge-delay-0",
    "pool",
    "best peer again",
];

#[test]
fn the_document_has_every_figure_of_every_contestant() {
    let bench = Bench::new();
    let printed = finish(&mut quick(&bench, &["--format", "json"]));
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let document: Value = serde_json::from_str(&printed.stdout).expect("one document");
    assert_eq!(document, bench.written());

    assert_eq!(document["rounds"], 1);
    assert_eq!(document["interrupted"], false);
    assert!(document["host"]["kernel"].is_string());
    assert_eq!(names(&document["workloads"], "name"), ["pair", "lifo-24"]);
    for workload in document["workloads"].as_array().expect("workloads") {
        for counted in ["peak_live_kib", "program_kib"] {
            assert!(workload[counted].as_u64().expect("counted") > 0);
        }
        assert_eq!(names(&workload["contestants"], "contestant"), CONTESTANTS);
        for contestant in workload["contestants"].as_array().expect("contestants") {
            for spread in ["ns_per_op", "ratio_to_best_peer"] {
                let figure = |name| contestant[spread][name].as_f64().expect("a figure");
                assert!(figure("min") > 0.0);
                assert!(figure("min") <= figure("median") && figure("median") <= figure("max"));
            }
            for figure in ["peak_kib", "kept_kib"] {
                assert!(contestant[figure].is_i64(), "{figure}");
            }
            if contestant["allocator"] == "jemalloc" {
                // It had more than this before the workload began, and that is its own.
                assert!(contestant["kept_kib"].as_i64() > Some(100));
            }
            let standing = match contestant["allocator"].as_str() {
                Some("pool") => "ours",
                Some("best peer again") => "control",
                _ => "peer",
            };
            assert_eq!(contestant["standing"], standing);
            assert_eq!(contestant["status"], "measured");
        }
    }
    let means = &document["geomean_to_best_peer"];
    assert_eq!(names(means, "contestant"), CONTESTANTS);
    for mean in means.as_array().expect("means") {
        assert!(mean["ratio"].as_f64().expect("a mean") > 0.0);
    }
}

#[test]
fn the_tables_fit_a_terminal_of_120_columns() {
    let bench = Bench::new();
    let printed = finish(&mut quick(&bench, &[]));
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    for line in printed.stdout.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    for title in ["ratio", "ns per operation", "peak/live, kept", "geomean"] {
        let mut lines = printed.stdout.lines();
        assert!(lines.any(|line| line.starts_with(title)), "{title}");
    }
}

#[test]
fn limits_stand_beside_their_workload_and_are_nobodys_peer() {
    let bench = Bench::new();
    let mut command = xtask(&["bench", "--workload", "int-list", "--rounds", "1"]);
    command.args(["--allocator", "pool", "--format", "json", "--out"]);
    let printed = finish(command.arg(bench.path("result.json")));
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let document = bench.written();
    let contestants = &document["workloads"][0]["contestants"];
    assert_eq!(
        names(contestants, "contestant"),
        ["pool", "limit-huge", "limit-4k", "limit-bump"]
    );
    for contestant in contestants.as_array().expect("contestants") {
        assert!(contestant["ratio_to_best_peer"].is_null());
    }
    assert_eq!(
        names(&document["geomean_to_best_peer"], "contestant"),
        ["pool"]
    );
}

#[test]
fn a_subject_that_dies_costs_its_own_cell() {
    let bench = Bench::new();
    let script = bench.script("broken.sh", "exit 7");
    let arguments = ["--allocator", "system", "--subject", &script];
    let printed = finish(&mut quick(&bench, &arguments));
    assert_eq!(printed.status, 1, "{}", printed.stderr);
    let reason = "exited with status 7 while asked to say hello";
    for workload in bench.written()["workloads"].as_array().expect("workloads") {
        let [good, broken, again] = &workload["contestants"].as_array().expect("three")[..] else {
            panic!("not two contestants and the control: {workload:#}");
        };
        assert_eq!(good["status"], "measured");
        assert_eq!(good["ratio_to_best_peer"]["median"], 1.0);
        assert_eq!(broken["status"], "failed");
        assert_eq!(broken["failure"], reason);
        assert!(broken["ns_per_op"].is_null());
        assert_eq!(again["standing"], "control");
        assert!(again["ratio_to_best_peer"]["median"].as_f64() > Some(0.0));
    }
    let said: Vec<&str> = printed.stderr.lines().collect();
    let failed = format!("pair under broken.sh failed: {reason}");
    assert!(said.contains(&failed.as_str()), "{said:?}");
    assert_eq!(said.last(), Some(&"error: 2 of 6 cells failed"));
}

#[test]
fn a_setting_in_the_environment_is_told() {
    let bench = Bench::new();
    let mut command = quick(&bench, &["--allocator", "pool"]);
    let printed = finish(command.env("POOL_ALLOC_RESERVE_KIB", "100000"));
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let told = "POOL_ALLOC_RESERVE_KIB is set here: all but knobs that set it are measured with it";
    says_once(&printed, told);
}

#[track_caller]
fn says_once(printed: &Outcome, told: &str) {
    let lines = printed.stderr.lines();
    let count = lines.filter(|line| *line == told).count();
    assert_eq!(count, 1, "{told}: {}", printed.stderr);
}

#[test]
fn who_is_named_in_vain_is_told() {
    let bench = Bench::new();
    let named = ["--allocator", "jemalloc", "--allocator", "pool"];
    let printed = finish(quick(&bench, &named).args(["--knob", "reserve-0"]));
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    says_once(
        &printed,
        "jemalloc is left out: it has none of the knobs named",
    );
    says_once(
        &printed,
        "there is no peer among these to be compared with: the ratios stay empty",
    );
    // Nobody was named: those that have the knob are meant.
    let printed = finish(quick(&bench, &[]).args(["--knob", "decay-0"]));
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    assert!(!printed.stderr.contains("left out"), "{}", printed.stderr);
    assert!(!printed.stderr.contains("no peer"), "{}", printed.stderr);
}
