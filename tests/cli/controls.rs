//! The controls: every assertion of a cell tried, and a status that tells whether one survived.

use serde_json::Value;

use crate::run::{Outcome, finish, xtask};

/// Tries the quickest cell of all, and what more is asked for.
fn controls(more: &[&str]) -> Outcome {
    let quick = ["controls", "--scenario", "int-stream"];
    finish(xtask(&quick).args(more))
}

#[track_caller]
fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).expect("one document")
}

#[test]
fn each_assertion_of_a_cell_is_tried_with_its_control() {
    let outcome = controls(&["--allocator", "pool", "--format", "json"]);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let document = document(&outcome);
    assert_eq!(document["survived"], 0);
    let tried = document["controls"].as_array().expect("a list");
    let assertions: Vec<&Value> = tried.iter().map(|tried| &tried["assertion"]).collect();
    assert_eq!(assertions, ["verdict", "record"]);
    for tried in tried {
        assert_eq!(tried["allocator"], "pool");
        assert_eq!(tried["scenario"], "int-stream");
        assert_eq!(tried["control"], "keeps");
        assert_eq!(tried["survived"], false);
        assert!(tried["change"].is_string());
    }
    for progress in [
        "int-stream under pool\n",
        "int-stream under pool with keeps\n",
    ] {
        assert!(outcome.stderr.contains(progress), "{}", outcome.stderr);
    }
}

#[test]
fn the_table_says_what_changes_and_ends_with_the_sum() {
    let outcome = controls(&["--allocator", "pool"]);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let row = outcome
        .stdout
        .lines()
        .find(|line| line.contains("verdict of int-stream under pool"));
    let row = row.expect("a row");
    assert!(
        row.contains("keeps") && row.contains("returns: at-once -> never"),
        "{row}"
    );
    assert_eq!(
        outcome.stdout.lines().last(),
        Some("2 controls, 0 survived")
    );
}

#[test]
fn a_control_that_changes_nothing_survives_and_the_status_tells() {
    let nothing = ["--allocator", "pool", "--control", "default"];
    let outcome = controls(&nothing);
    assert_eq!(outcome.status, 1);
    assert_eq!(
        outcome.stdout.lines().last(),
        Some("2 controls, 2 survived")
    );
    assert_eq!(
        outcome.stderr.lines().last(),
        Some("error: 2 of 2 assertions held where they should have failed")
    );
    let outcome = controls(&[&nothing[..], &["--format", "json"]].concat());
    assert_eq!(outcome.status, 1);
    let document = document(&outcome);
    assert_eq!(document["survived"], 2);
    assert_eq!(document["controls"][0]["survived"], true);
    assert_eq!(document["controls"][0]["change"], Value::Null);
}

#[test]
fn a_false_account_is_noticed_by_the_record_alone() {
    let buffer = [
        "controls",
        "--scenario",
        "byte-buffer",
        "--allocator",
        "pool",
    ];
    let half = ["--control", "claims-half", "--format", "json"];
    let outcome = finish(xtask(&buffer).args(half));
    assert_eq!(outcome.status, 1);
    let document = document(&outcome);
    assert_eq!(document["controls"][0]["survived"], true, "the verdict");
    assert_eq!(document["controls"][1]["survived"], false, "the record");
}

#[test]
fn another_knob_is_tried_on_the_allocators_that_have_it() {
    let allocators = ["--allocator", "pool", "--allocator", "mimalloc"];
    let more = ["--control", "purge-delay-0", "--format", "json"];
    let document = document(&controls(&[&allocators[..], &more].concat()));
    let tried = document["controls"].as_array().expect("a list");
    assert_eq!(tried.len(), 2);
    assert!(tried.iter().all(|tried| tried["allocator"] == "mimalloc"));
}
