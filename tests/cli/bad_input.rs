//! Input that cannot be worked with: one line that says why and the way out, status 2, and
//! nothing built, spawned or written.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::Mode;

use crate::run::{Bench, Outcome, finish, listed, root, xtask};

/// These arguments are answered with this line and nothing else.
#[track_caller]
fn check(arguments: &[&str], line: &str) {
    assert_eq!(only_line(&finish(&mut xtask(arguments))), line);
}

/// The one line of a refusal. Were anything built or measured, there would be more of them.
#[track_caller]
fn only_line(refusal: &Outcome) -> &str {
    assert_eq!(refusal.status, 2, "{}", refusal.stderr);
    assert_eq!(refusal.stdout, "");
    let lines: Vec<&str> = refusal.stderr.lines().collect();
    match lines[..] {
        [line] => line.strip_prefix("error: ").expect("an error"),
        _ => panic!("not one line: {lines:?}"),
    }
}

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
fn nobody_to_measure_is_refused() {
    check(
        &["compare", "--allocator", "none"],
        "there is nothing to measure: --allocator none is for what --subject or --interpreter names",
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
fn sizes_and_rounds_are_whole_numbers_from_1_up() {
    for option in ["--size", "--rounds"] {
        for wrong in ["0", "-5", "lots", "1.5", "", "1\n2"] {
            let shown = wrong.replace('\n', " ");
            check(
                &["compare", option, wrong],
                &format!(
                    "invalid value '{shown}' for '{option} <N>': \
                     give a whole number from 1 up (--help tells more)"
                ),
            );
        }
        let wrong = "99999999999999999999999";
        check(
            &["compare", option, wrong],
            &format!(
                "invalid value '{wrong}' for '{option} <N>': \
                 that number is too large (--help tells more)"
            ),
        );
        check(
            &["compare", option],
            &format!(
                "a value is required for '{option} <N>' but none was supplied (--help tells more)"
            ),
        );
    }
}

#[test]
fn a_step_limit_is_a_time_that_a_clock_can_hold() {
    for wrong in ["0", "-1", "nan", "inf", "1e18", "soon"] {
        check(
            &["compare", "--step-limit", wrong],
            &format!(
                "invalid value '{wrong}' for '--step-limit <SECONDS>': \
                 give a number of seconds above 0, up to 1000000 (--help tells more)"
            ),
        );
    }
}

#[test]
fn an_object_that_does_not_fit_is_refused_with_both_figures() {
    for size in ["100000000000", "1000000000000"] {
        let refusal = finish(&mut xtask(&["compare", "--size", size]));
        let line = only_line(&refusal);
        let start = format!("int-list of size {size} needs about ");
        assert!(line.starts_with(&start), "{line}");
        let figures: Vec<f64> = line[start.len()..]
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        match figures[..] {
            [needed, available] => assert!(needed > available && available > 0.0, "{line}"),
            _ => panic!("not two figures: {line}"),
        }
    }
}

#[test]
fn a_size_that_is_no_int_of_a_32_bit_python_is_refused() {
    for command in ["compare", "explain", "curve", "python"] {
        let mut refused = xtask(&[command, "--scenario", "python-int-stream"]);
        let line = "python-int-stream of size 2147483648 counts to what is no int in Python 2.4 32-bit: \
                    choose a smaller --size or another --python";
        refused.args(["--python", "2.4-32", "--size", "2147483648"]);
        if command != "python" {
            refused.args(["--allocator", "system"]);
        }
        let refusal = finish(&mut refused);
        assert_eq!(only_line(&refusal), line, "{command}");
    }
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
fn a_subject_that_is_not_there_is_named() {
    check(
        &["compare", "--subject", "/proc/nowhere"],
        "cannot run /proc/nowhere: there is no such file",
    );
}

#[test]
fn a_result_that_cannot_be_written_is_said_before_measuring() {
    check(
        &["compare", "--out", "/proc/nowhere/x.json"],
        "cannot write /proc/nowhere/x.json: No such file or directory (os error 2)",
    );
    let root = root().display();
    check(
        &["compare", "--out", "Cargo.toml/a/x.json"],
        &format!("cannot write Cargo.toml/a/x.json: {root}/Cargo.toml is no folder"),
    );
}

#[test]
fn a_folder_is_no_place_for_a_result_whatever_it_is_relative_to() {
    let mut command = xtask(&["compare", "--out", "model"]);
    let refusal = finish(command.current_dir(root().join("crates")));
    assert_eq!(
        only_line(&refusal),
        "cannot write model: it is a folder; name a file in it"
    );
}

#[test]
fn what_is_no_ordinary_file_is_not_replaced_by_one() {
    let bench = Bench::new();
    let pipe = bench.path("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).expect("a named pipe");
    let pipe = pipe.to_str().expect("text");
    check(
        &["compare", "--out", pipe],
        &format!("cannot write {pipe}: it is no ordinary file"),
    );
    assert_eq!(bench.files(), ["pipe"]);
}

#[test]
fn a_refusal_leaves_an_earlier_result_as_it_was() {
    let bench = Bench::new();
    fs::write(bench.path("result.json"), "precious").expect("a file");
    let wrong = finish(&mut bench.compare(&["--allocator", "sistem"]));
    only_line(&wrong);
    let wrong = finish(&mut bench.compare(&["--subject", "/proc/nowhere"]));
    only_line(&wrong);
    assert_eq!(bench.files(), ["result.json"]);
    let there = fs::read_to_string(bench.path("result.json"));
    assert_eq!(there.expect("a file"), "precious");
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
        r#"unknown knob "release-after-dorp": there are default, all, release-after-drop, gc-after-drop; did you mean release-after-drop?"#,
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
fn a_library_to_preload_must_be_there() {
    check(
        &["compare", "--knob", "LD_PRELOAD=/no/such.so"],
        "cannot preload /no/such.so: there is no such file",
    );
}

#[test]
fn what_cannot_be_tried_is_answered_with_what_can() {
    check(
        &["controls", "--allocator", "pool", "--control", "kepes"],
        r#"unknown control "kepes": there are default, release-after-drop, gc-after-drop, keeps, keeps-mappings, keeps-half, late, leaks, takes-at-build, rebounds, apart, lazy, claims-half; did you mean keeps?"#,
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
    check(
        &[
            "explain",
            "--interpreter",
            "/nowhere/python",
            "--scenario",
            "python-int-list",
        ],
        "there is no /nowhere/python: give the path of a CPython, or the name of one on the PATH",
    );
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

#[test]
fn the_clock_runs_for_a_time_that_has_a_unit() {
    for wrong in [
        "0s",
        "-1s",
        "5",
        "an hour",
        "",
        "366days",
        "99999999999999999999s",
    ] {
        let arguments = ["curve", "--scenario", "int-list", "--for", wrong];
        check(
            &arguments,
            &format!(
                "invalid value '{wrong}' for '--for <TIME>': give a time from 1ms to 365days, \
                 such as 5s, 10min or 1h (--help tells more)"
            ),
        );
    }
}

#[test]
fn a_size_that_no_machine_holds_is_refused_even_where_little_is_alive_at_a_time() {
    check(
        &[
            "compare",
            "--scenario",
            "int-stream",
            "--size",
            "18446744073709551615",
        ],
        "invalid value '18446744073709551615' for '--size <N>': \
         that number is too large (--help tells more)",
    );
}

#[test]
fn a_subject_that_may_not_be_executed_is_refused() {
    // A bare name is a file in this folder and no program of the path.
    check(
        &["compare", "--subject", "Cargo.toml"],
        "cannot run Cargo.toml: it is not executable",
    );
    check(
        &["compare", "--subject", "crates"],
        "cannot run crates: it is a folder without a Cargo.toml",
    );
}

#[test]
fn a_result_that_cannot_be_read_is_refused_before_anything_is_measured() {
    let bench = Bench::new();
    let (missing, half, good) = (
        bench.path("missing.json"),
        bench.path("half.json"),
        bench.path("result.json"),
    );
    assert_eq!(finish(&mut bench.compare(&[])).status, 0);
    fs::write(&half, "{\"cells\":[").expect("a file");
    let no_such = format!(
        "cannot read {}: No such file or directory (os error 2)",
        missing.display()
    );
    let cut = format!(
        "cannot read {}: it ends in the middle, at line 1, column 10",
        half.display()
    );
    let folder = format!(
        "cannot read {}: it is a folder; name a file in it",
        bench.path("").display()
    );
    let refused = |command: &str, paths: [&std::path::Path; 2]| {
        let refusal = finish(xtask(&[command]).args(paths));
        only_line(&refusal).to_owned()
    };
    assert_eq!(refused("diff", [&missing, &half]), no_such);
    assert_eq!(refused("diff", [&good, &half]), cut);
    assert_eq!(refused("diff", [&bench.path(""), &half]), folder);
    assert_eq!(refused("merge", [&good, &half]), cut);
    let alike = refused("merge", [&good, &good]);
    assert!(
        alike.ends_with("from machines that are alike: leave one out"),
        "{alike}"
    );
    let half = half.to_str().expect("text");
    check(&["compare", "--baseline", half], &cut);
}

#[test]
fn a_shard_that_is_none_is_refused() {
    for shard in ["0/5", "6/5", "2", "a/b", "1/0", "-1/2", ""] {
        let refusal = finish(&mut xtask(&["compare", "--shard", shard]));
        let line = only_line(&refusal);
        assert!(
            line.ends_with("give which part of how many, such as 2/5 (--help tells more)"),
            "{line}"
        );
    }
}

#[test]
fn a_name_with_line_breaks_makes_no_second_line() {
    let refusal = finish(&mut xtask(&["diff", "a\nb\u{1b}[2J", "c"]));
    let line = only_line(&refusal);
    assert!(line.starts_with("cannot read a\\nb\\u{1b}[2J: "), "{line}");
}
