//! Knobs: turned by name, tried one after the other, and the smallest that suffices.

use serde_json::Value;

use crate::run::{Bench, finish, xtask};

/// Large enough for retention to be more than the noise floor.
const SIZE: &str = "200000";

fn explain(allocator: &str) -> Value {
    let arguments = [
        "explain",
        "--allocator",
        allocator,
        "--scenario",
        "int-list",
    ];
    let explained = finish(xtask(&arguments).args(["--size", SIZE, "--format", "json"]));
    assert_eq!(explained.status, 0, "{}", explained.stderr);
    serde_json::from_str(&explained.stdout).expect("one document")
}

/// Allocator and knob of each cell that these knobs lead to.
fn cells(knobs: &[&str]) -> Vec<(String, String)> {
    let bench = Bench::new();
    let mut arguments = vec!["--allocator", "pool", "--allocator", "mimalloc"];
    for knob in knobs {
        arguments.extend(["--knob", knob]);
    }
    assert_eq!(finish(&mut bench.compare(&arguments)).status, 0);
    let written = bench.written();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let cells = written["cells"].as_array().expect("cells").iter();
    cells
        .map(|cell| (text(&cell["allocator"]), text(&cell["knob"])))
        .collect()
}

#[test]
fn a_knob_is_turned_on_the_allocators_that_have_it() {
    let expected = [
        ("mimalloc", "purge-delay-0"),
        ("mimalloc", "A=b"),
        ("pool", "A=b"),
    ];
    let expected = expected.map(|(allocator, knob)| (allocator.to_owned(), knob.to_owned()));
    assert_eq!(cells(&["purge-delay-0", "A=b"]), expected);
}

/// What it does not understand it leaves out, and the cell is that of another setting. The one and the other say so, on
/// standard error.
#[test]
fn what_a_subject_says_of_its_setting_is_passed_on_once() {
    let bench = Bench::new();
    let arguments = ["--allocator", "pool", "--scenario", "int-list", "--quiet"];
    let limit = ["--knob", "default", "--knob", "POOL_ALLOC_RESERVE_KIB=much"];
    let compared = finish(&mut bench.compare(&[&arguments[..], &limit].concat()));
    assert_eq!(compared.status, 0);
    let words =
        "said \"pool-alloc: POOL_ALLOC_RESERVE_KIB=much is no number of KiB: there is no limit\"\n";
    let cell = "int-list under pool with POOL_ALLOC_RESERVE_KIB=much";
    assert_eq!(compared.stderr, format!("{cell} {words}"));

    let mut bench = xtask(&["bench", "--workload", "pair", "--rounds", "2", "--quiet"]);
    bench
        .args(["--allocator", "pool", "--format", "json"])
        .args(limit);
    let raced = finish(&mut bench);
    assert_eq!(raced.status, 0, "{}", raced.stderr);
    let said: Vec<&str> = raced
        .stderr
        .lines()
        .filter(|line| line.contains("said"))
        .collect();
    assert_eq!(
        said,
        [format!(
            "pool POOL_ALLOC_RESERVE_KIB=much {}",
            words.trim_end()
        )]
    );
}

#[test]
fn a_setting_that_an_allocator_reads_under_another_name_is_named() {
    let bench = Bench::new();
    let allocators = ["--allocator", "jemalloc", "--allocator", "pool"];
    let knob = [
        "--scenario",
        "int-list",
        "--knob",
        "MALLOC_CONF=tcache:false",
    ];
    let compared = finish(bench.compare(&[allocators, knob].concat()).arg("--quiet"));
    assert_eq!(compared.status, 0);
    let line = "jemalloc reads _RJEM_MALLOC_CONF here, and not MALLOC_CONF\n";
    assert_eq!(compared.stderr, line);
}

#[test]
fn all_knobs_include_the_default_once() {
    let cells = cells(&["all", "default"]);
    let of_pool = cells.iter().filter(|(allocator, _)| allocator == "pool");
    let knobs: Vec<&str> = of_pool.map(|(_, knob)| knob.as_str()).collect();
    assert_eq!(knobs, ["default", "reserve-0", "release-after-drop"]);
}

#[test]
fn the_smallest_knob_is_one_that_returns_the_object_at_once() {
    let explanation = explain("mimalloc");
    assert_ne!(explanation["cell"]["verdict"]["returns"], "at-once");
    let smallest = &explanation["smallest_knob"]["name"];
    let tried = explanation["knobs"].as_array().expect("knobs");
    let chosen = tried.iter().find(|knob| &knob["cell"]["knob"] == smallest);
    assert_eq!(
        chosen.expect("one of them")["cell"]["verdict"]["returns"],
        "at-once"
    );
    let sufficient = tried
        .iter()
        .filter(|knob| knob["cell"]["verdict"]["returns"] == "at-once");
    assert!(
        sufficient.count() < tried.len(),
        "were all sufficient, the choice would show nothing"
    );
}

#[test]
fn what_returns_at_once_needs_no_knob() {
    assert_eq!(explain("pool")["smallest_knob"], Value::Null);
}
