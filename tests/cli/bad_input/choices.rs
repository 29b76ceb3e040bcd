//! Choices that are good by themselves, and not together.

use super::{check, only_line};
use crate::run::{finish, listed, xtask};

#[test]
fn nobody_to_measure_is_refused() {
    check(
        &["compare", "--allocator", "none"],
        "there is nothing to measure: --allocator none is for what --subject or --interpreter names",
    );
}

#[test]
fn what_is_no_setting_of_the_allocator_is_not_timed() {
    check(
        &["bench", "--knob", "trim-after-drop"],
        "cannot time trim-after-drop: it is a habit of the program's and no setting of the allocator's",
    );
    check(
        &["bench", "--rounds", "0"],
        "invalid value '0' for '--rounds <N>': give a whole number from 1 up (--help tells more)",
    );
}

#[test]
fn a_python_is_for_scenarios_of_pythons() {
    let pythons: Vec<&str> = scenarios::PYTHON.iter().map(|s| s.name).collect();
    check(
        &["compare", "--scenario", "int-list", "--python", "2.7"],
        &format!(
            "--python 2.7 is for scenarios of Python's, and none of them was chosen: give --scenario \
             one of {}",
            pythons.join(", ")
        ),
    );
    let two = ["--python", "2.4", "--python", "2.7"];
    let explain = [
        "explain",
        "--allocator",
        "system",
        "--scenario",
        "python-objects",
    ];
    assert_eq!(
        only_line(&finish(xtask(&explain).args(two))),
        "this command is about one Python at a time: name one with --python"
    );
}

#[test]
fn a_collection_is_for_scenarios_that_have_a_collector() {
    for command in ["compare", "curve"] {
        check(
            &[command, "--scenario", "int-list", "--knob", "gc-after-drop"],
            "cannot turn gc-after-drop: none of the chosen scenarios has a garbage collector, only \
             those of Python's have",
        );
    }
}

#[test]
fn what_a_program_does_after_a_drop_is_not_timed() {
    check(
        &["bench", "--knob", "gc-after-drop"],
        "cannot time gc-after-drop: it is a habit of the program's and no setting of the \
         allocator's",
    );
}

#[test]
fn explaining_needs_one_allocator_and_one_scenario() {
    let refusal = only_line(&finish(&mut xtask(&["explain"]))).to_owned();
    assert!(refusal.contains("--allocator"), "{refusal}");
}

#[test]
fn an_interpreter_runs_scenarios_of_pythons_only() {
    let python: Vec<String> = listed("scenarios");
    let python = python
        .into_iter()
        .filter(|name| name.starts_with("python-"));
    let python = python.collect::<Vec<_>>().join(", ");
    let line = format!("int-list does not run in an interpreter: give --scenario one of {python}");
    let options = ["--interpreter", "python3", "--scenario", "int-list"];
    for command in ["compare", "curve", "explain", "python"] {
        check(&[&[command], &options[..]].concat(), &line);
    }
    let nowhere = ["--interpreter", "/nowhere/python"];
    for command in ["compare", "curve", "explain", "python"] {
        check(
            &[&[command, "--scenario", "python-int-list"], &nowhere[..]].concat(),
            "there is no /nowhere/python: give the path of a CPython, or the name of one on the PATH",
        );
    }
    check(
        &[
            "explain",
            "--interpreter",
            "python3",
            "--allocator",
            "system",
            "--scenario",
            "tree",
        ],
        "the argument '--interpreter <NAME>' cannot be used with '--allocator <NAME>' (--help tells more)",
    );
}

#[test]
fn a_curve_needs_a_scenario() {
    let refusal = only_line(&finish(&mut xtask(&["curve"]))).to_owned();
    assert!(refusal.contains("--scenario"), "{refusal}");
}
