//! Numbers that are none, and those that are too small or too large.

use super::{check, only_line};
use crate::run::{finish, xtask};

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
