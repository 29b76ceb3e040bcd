//! Files that are not there, or are no place for what should stand in them.

use std::fs;

use nix::sys::stat::Mode;

use super::{check, only_line};
use crate::run::{Bench, finish, root, xtask};

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
fn a_library_to_preload_must_be_there() {
    check(
        &["compare", "--knob", "LD_PRELOAD=/no/such.so"],
        "cannot preload /no/such.so: there is no such file",
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
