//! What a benchmark looks like, for a terminal.

use afterdrop_report as report;
use afterdrop_report::Width;
use anstream::adapter::strip_str;
use insta::assert_snapshot;
use model::{
    Benchmark, Geomean, Host, Knob, SCHEMA_VERSION, Spread, Standing, Status, TimedContestant,
    TimedWorkload,
};

/// A contestant that was measured.
fn contestant(allocator: &str, knob: &str, ns: f64, ratio: f64) -> TimedContestant {
    let spread = |middle: f64| Spread {
        min: middle * 0.95,
        median: middle,
        max: middle * 1.25,
    };
    TimedContestant {
        contestant: report::contestant(allocator, knob),
        allocator: allocator.to_owned(),
        knob: knob.to_owned(),
        allocator_version: Some("1".to_owned()),
        standing: match allocator {
            "pool" => Standing::Ours,
            "limit-4k" => Standing::Limit,
            "best peer again" => Standing::Control,
            _ => Standing::Peer,
        },
        status: Status::Measured,
        failure: None,
        ns_per_op: Some(spread(ns)),
        ratio_to_best_peer: Some(spread(ratio)),
        peak_kib: Some(2_200),
        kept_kib: Some(ns as i64),
        runs: Vec::new(),
    }
}

fn failed(allocator: &str) -> TimedContestant {
    TimedContestant {
        status: Status::Failed,
        failure: Some("killed by SIGKILL while asked to time pareto".to_owned()),
        ns_per_op: None,
        ratio_to_best_peer: None,
        ..contestant(allocator, Knob::DEFAULT, 1.0, 1.0)
    }
}

fn workload(
    name: &str,
    peak_live_kib: Option<u64>,
    contestants: Vec<TimedContestant>,
) -> TimedWorkload {
    TimedWorkload {
        name: name.to_owned(),
        summary: String::new(),
        operation: String::new(),
        peak_live_kib,
        program_kib: None,
        contestants,
    }
}

fn document() -> Benchmark {
    let d = Knob::DEFAULT;
    let [pair, pareto, list] = [
        vec![
            contestant("system", d, 12.3, 1.5),
            contestant("mimalloc", "purge-delay-0", 8.2, 1.0),
            contestant("pool", d, 7.9, 0.96),
            contestant("best peer again", d, 8.4, 1.02),
        ],
        vec![
            failed("system"),
            contestant("mimalloc", "purge-delay-0", 373_018.4, 123.4),
            contestant("pool", d, 999.6, 12.5),
        ],
        vec![
            contestant("system", d, 61.0, 3.25),
            contestant("mimalloc", "purge-delay-0", 18.8, 1.0),
            contestant("pool", d, 33.0, 1.75),
            contestant("limit-4k", d, 26.1, 1.39),
        ],
    ];
    let geomean = |contestant: &str, ratio| Geomean {
        contestant: contestant.to_owned(),
        ratio,
    };
    Benchmark {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: "0.1.0".to_owned(),
        command: "cargo xtask bench".to_owned(),
        host: Host {
            os: Some("Linux (Debian GNU/Linux 12)".to_owned()),
            kernel: Some("6.18".to_owned()),
            glibc: None,
            architecture: "x86_64".to_owned(),
            cpu_count: 2,
            page_size_bytes: 4096,
            memory_kib: 16 << 20,
            available_kib: 8 << 20,
            huge_pages: Some("madvise".to_owned()),
            lab_conditions: Vec::new(),
        },
        rounds: 3,
        workloads: vec![
            workload("pair", Some(1), pair),
            workload("producer-consumer", Some(2_000), pareto),
            workload("int-list", None, list),
        ],
        geomean_to_best_peer: vec![
            geomean("system", None),
            geomean("mimalloc purge-delay-0", Some(4.98)),
            geomean("pool", Some(2.76)),
            geomean("best peer again", Some(1.02)),
        ],
        interrupted: false,
    }
}

#[test]
fn contestants_that_have_no_room_side_by_side_stand_below() {
    let text = report::benchmark(&document(), Width::Terminal(60));
    let text = strip_str(&text).to_string();
    let tables = text.lines().filter(|line| line.starts_with("ratio "));
    assert_eq!(tables.count(), 2, "{text}");
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(60), "{text}");
}

#[test]
fn ratios_then_times_then_memory_and_what_failed() {
    assert_snapshot!(strip_str(&report::benchmark(&document(), Width::Endless)));
}

#[test]
fn nothing_measured_is_said() {
    let nothing = Benchmark {
        workloads: Vec::new(),
        geomean_to_best_peer: Vec::new(),
        ..document()
    };
    assert_eq!(
        report::benchmark(&nothing, Width::Endless),
        "nothing was measured\n"
    );
}

#[test]
fn a_run_that_was_interrupted_says_so() {
    let says_so = |interrupted| {
        let document = Benchmark {
            interrupted,
            ..document()
        };
        let text = report::benchmark(&document, Width::Terminal(120));
        strip_str(&text)
            .to_string()
            .contains("rounds: 3, interrupted")
    };
    assert!(says_so(true));
    assert!(!says_so(false));
}
