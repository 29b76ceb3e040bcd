//! Names that there are not: answered with those that there are, and the nearest.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{check, only_line};
use crate::run::{finish, listed, xtask};

#[test]
fn an_unknown_allocator_is_answered_with_the_valid_ones_and_the_nearest() {
    let there_are = listed("allocators").join(", ");
    check(
        &["compare", "--allocator", "sistem"],
        &format!(r#"unknown allocator "sistem": there are {there_are}; did you mean system?"#),
    );
    check(
        &["compare", "--allocator", "system", "--allocator", "a\nb"],
        &format!(r#"unknown allocator "a\nb": there are {there_are}"#),
    );
}

#[test]
fn an_unknown_scenario_is_answered_with_the_valid_ones_and_the_nearest() {
    let there_are = listed("scenarios").join(", ");
    check(
        &["compare", "--scenario", "int-lits"],
        &format!(r#"unknown scenario "int-lits": there are {there_are}; did you mean int-list?"#),
    );
}

#[test]
fn an_unknown_workload_is_answered_with_the_valid_ones_and_the_nearest() {
    let there_are = listed("workloads").join(", ");
    check(
        &["bench", "--workload", "rebuilt"],
        &format!(r#"unknown workload "rebuilt": there are {there_are}; did you mean rebuild?"#),
    );
}

#[test]
fn an_unknown_format_is_answered_with_the_valid_ones_and_the_nearest() {
    check(
        &["compare", "--format", "jsn"],
        r#"unknown format "jsn": there are table, json, markdown, html; did you mean json?"#,
    );
    check(
        &["list", "--format", "markdown"],
        r#"unknown format "markdown": there are table, json"#,
    );
}

#[test]
fn unknown_conditions_are_answered_with_the_valid_ones_and_the_nearest() {
    check(
        &["compare", "--conditions", "labb"],
        r#"unknown conditions "labb": there are lab, host; did you mean lab?"#,
    );
}

#[test]
fn colours_elsewhere_than_there_are_places_are_refused() {
    check(
        &["list", "--color", "allways"],
        r#"unknown color "allways": there are auto, always, never; did you mean always?"#,
    );
}

#[test]
fn an_unknown_command_is_answered_with_the_valid_ones_and_the_nearest() {
    // Those that there are stand in the answer to no command at all.
    let answer = finish(&mut xtask(&[]));
    let answer = only_line(&answer).strip_prefix("say what to do: ");
    let there_are = answer.and_then(|rest| rest.strip_suffix(" (--help tells more)"));
    let there_are = there_are.expect("the commands");
    assert!(
        there_are.starts_with(
            "compare, explain, curve, bench, diff, merge, plot, controls, python, list"
        )
    );
    check(
        &["comapre"],
        &format!(r#"unknown command "comapre": there are {there_are}; did you mean compare?"#),
    );
    check(
        &["zzz"],
        &format!(r#"unknown command "zzz": there are {there_are}"#),
    );
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest() {
    check(
        &["compare", "--sise", "3"],
        "unexpected argument '--sise' found; did you mean --size?",
    );
    check(
        &["compare", "--zzz"],
        "unexpected argument '--zzz' found (--help tells more)",
    );
    check(
        &["compare", "system"],
        "unexpected argument 'system' found (--help tells more)",
    );
}

#[test]
fn bytes_that_are_no_text_are_no_name() {
    let mut command = xtask(&["compare", "--allocator"]);
    let refusal = finish(command.arg(OsStr::from_bytes(b"syst\xffem")));
    assert_eq!(
        only_line(&refusal),
        "invalid UTF-8 was detected in one or more arguments (--help tells more)"
    );
}

#[test]
fn an_unknown_knob_is_answered_with_the_valid_ones_and_the_nearest() {
    check(
        &[
            "compare",
            "--allocator",
            "pool",
            "--knob",
            "release-after-dorp",
        ],
        r#"unknown knob "release-after-dorp": there are default, all, reserve-0, release-after-drop, gc-after-drop; did you mean release-after-drop?"#,
    );
}

#[test]
fn an_unknown_python_is_answered_with_those_that_are_modelled() {
    let scenario = ["compare", "--scenario", "python-int-list"];
    let there_are = "there are 2.4, 2.5, 2.7, 3.6, 3.7, 3.8, 3.9, 3.10, 3.11, 3.12, 3.13, 3.14";
    for (wrong, hint) in [
        ("2.6", ""),
        ("2.7-16", ""),
        ("3.l3", "; did you mean 3.13?"),
    ] {
        let refusal = only_line(&finish(xtask(&scenario).args(["--python", wrong]))).to_owned();
        let begin = format!("unknown Python {wrong:?}: {there_are}");
        assert!(
            refusal.starts_with(&begin) && refusal.contains(hint),
            "{refusal}"
        );
        assert!(refusal.ends_with("(each also with -32)"), "{refusal}");
    }
}

#[test]
fn what_cannot_be_tried_is_answered_with_what_can() {
    check(
        &["controls", "--allocator", "pool", "--control", "kepes"],
        r#"unknown control "kepes": there are default, reserve-0, release-after-drop, gc-after-drop, keeps, keeps-mappings, keeps-half, late, leaks, takes-at-build, rebounds, apart, lazy, claims-half; did you mean keeps?"#,
    );
    let allocators = suite::ALLOCATORS.join(", ");
    check(
        &["controls", "--allocator", "sistem"],
        &format!(r#"unknown allocator "sistem": there are {allocators}; did you mean system?"#),
    );
    let scenarios = listed("scenarios").join(", ");
    check(
        &["controls", "--scenario", "int-lits"],
        &format!(r#"unknown scenario "int-lits": there are {scenarios}; did you mean int-list?"#),
    );
}

#[test]
fn a_name_with_line_breaks_makes_no_second_line() {
    let refusal = finish(&mut xtask(&["diff", "a\nb\u{1b}[2J", "c"]));
    let line = only_line(&refusal);
    assert!(line.starts_with("cannot read a\\nb\\u{1b}[2J: "), "{line}");
}
