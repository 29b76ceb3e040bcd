//! Results on standard output, all else on standard error, the full result in its file; and what
//! happens where one of them takes no more.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::run::{Bench, built_by_default, finish, listed, xtask};

/// Fast, and with something to show.
const GOOD: &[&str] = &["--allocator", "system"];

#[test]
fn a_good_run_has_status_0_and_a_table_of_every_allocator_chosen() {
    let bench = Bench::new();
    let chosen = built_by_default();
    let options = chosen
        .iter()
        .flat_map(|name| ["--allocator", name.as_str()]);
    let outcome = finish(bench.compare(&[]).args(options));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    for name in &chosen {
        assert!(outcome.stdout.contains(name.as_str()), "{name} is missing");
        let progress = format!("int-list under {name}\n");
        assert!(outcome.stderr.contains(&progress), "{}", outcome.stderr);
        assert!(!outcome.stdout.contains(&progress), "progress is no result");
    }
    let last = format!("full result: {}", bench.path("result.json").display());
    assert_eq!(outcome.stderr.lines().last(), Some(last.as_str()));
    assert_eq!(bench.files(), ["result.html", "result.json"]);
}

#[test]
fn only_what_was_chosen_is_measured() {
    let bench = Bench::new();
    let twice = ["--allocator", "system", "--allocator", "system"];
    assert_eq!(finish(&mut bench.compare(&twice)).status, 0);
    let result = bench.written();
    assert_eq!(result["cells"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["cells"][0]["allocator"], "system");
}

#[test]
fn json_on_standard_output_is_one_document_and_the_one_that_is_written() {
    let bench = Bench::new();
    let outcome = finish(bench.compare(GOOD).args(["--format", "json", "--timings"]));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("one JSON document");
    assert_eq!(document["schema_version"], 1);
    let file = fs::read_to_string(bench.path("result.json")).expect("a result");
    assert_eq!(outcome.stdout, file);
}

#[test]
fn the_page_on_standard_output_is_the_one_beside_the_json() {
    let bench = Bench::new();
    let outcome = finish(bench.compare(GOOD).args(["--format", "html"]));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("<!DOCTYPE html>"));
    let file = fs::read_to_string(bench.path("result.html")).expect("a page");
    assert_eq!(outcome.stdout, file);
    let result = bench.path("result.json");
    let merged = finish(xtask(&["merge", "--format", "html"]).arg(result));
    assert_eq!(merged.status, 0, "{}", merged.stderr);
    assert_eq!(merged.stdout, file, "of the same JSON");
}

#[test]
fn markdown_is_a_table_of_equally_many_columns_in_each_row() {
    let bench = Bench::new();
    let outcome = finish(bench.compare(GOOD).args(["--format", "markdown"]));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let rows = outcome.stdout.lines().filter(|line| line.starts_with('|'));
    let columns: Vec<usize> = rows.map(|row| row.matches('|').count()).collect();
    assert!(columns.len() >= 3, "head, rule, row: {}", outcome.stdout);
    assert!(columns.iter().all(|count| *count == columns[0]));
}

#[test]
fn list_and_schema_print_one_json_document() {
    for command in [&["list", "--format", "json"][..], &["schema"]] {
        let outcome = finish(&mut xtask(command));
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
        let document = serde_json::from_str::<Value>(&outcome.stdout);
        assert!(document.expect("one JSON document").is_object());
    }
}

#[test]
fn list_has_a_line_for_each_allocator_scenario_and_workload() {
    let text = finish(&mut xtask(&["list"])).stdout;
    // A knob may have the name of an allocator: malloc and mimalloc are PYTHONMALLOC's as well.
    let (text, _) = text.split_once("knobs of ").expect("knobs come last");
    let names = ["allocators", "scenarios", "workloads"]
        .map(listed)
        .concat();
    for name in &names {
        let start = format!("  {name} ");
        let lines = text.lines().filter(|line| line.starts_with(&start));
        // A scenario and a workload may have the same name.
        let of_that_name = names.iter().filter(|other| *other == name);
        assert_eq!(lines.count(), of_that_name.count(), "{name}");
    }
}

/// A pipe that nobody reads from, as `head -1` leaves it behind.
fn closed() -> Stdio {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_who_has_gone_is_no_fault_and_the_result_is_written() {
    for format in ["table", "json", "markdown", "html"] {
        let bench = Bench::new();
        let mut command = bench.compare(GOOD);
        command.args(["--format", format]).stdout(closed());
        let outcome = run(command.stderr(Stdio::piped()));
        assert_eq!(outcome.0, Some(0), "{}", outcome.1);
        assert!(!outcome.1.contains("panicked"), "{}", outcome.1);
        assert_eq!(bench.written()["cells"][0]["status"], "measured");
    }
    for command in [&["list"][..], &["schema"], &["--help"], &["--version"]] {
        let outcome = run(xtask(command).stdout(closed()).stderr(Stdio::piped()));
        assert_eq!(outcome, (Some(0), String::new()));
    }
}

#[test]
fn nobody_to_hear_of_progress_is_no_fault_either() {
    let bench = Bench::new();
    let mut command = bench.compare(GOOD);
    let outcome = run(command.arg("--timings").stdout(closed()).stderr(closed()));
    assert_eq!(outcome.0, Some(0));
    assert_eq!(bench.written()["cells"][0]["status"], "measured");
    let refused = run(xtask(&["comapre"]).stdout(closed()).stderr(closed()));
    assert_eq!(refused.0, Some(2));
}

#[test]
fn a_full_disk_behind_standard_output_is_a_fault_and_the_result_is_written() {
    let bench = Bench::new();
    let full = File::options().write(true).open("/dev/full");
    let mut command = bench.compare(GOOD);
    command.stdout(full.expect("/dev/full"));
    let (status, said) = run(command.stderr(Stdio::piped()));
    assert_eq!(status, Some(1));
    assert_eq!(
        said.lines().last(),
        Some("error: cannot write to standard output: No space left on device (os error 28)")
    );
    assert_eq!(bench.written()["cells"][0]["status"], "measured");
}

/// The status and what was said on standard error, where the streams are the test's own choice.
#[track_caller]
fn run(command: &mut Command) -> (Option<i32>, String) {
    let child = command.stdin(Stdio::null()).spawn();
    let output = child.and_then(|child| child.wait_with_output());
    let output = output.expect("the executable runs");
    let said = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), said)
}

#[test]
fn a_file_name_that_is_no_text_is_a_file_name() {
    let bench = Bench::new();
    let odd = bench.path("").join(OsStr::from_bytes(b"r\xffsult.json"));
    let mut command = xtask(&["compare", "--scenario", "int-list", "--size", "1000"]);
    let outcome = finish(command.args(GOOD).arg("--out").arg(&odd));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert!(odd.is_file());
}

#[test]
fn an_earlier_result_is_replaced_behind_a_link_too() {
    let bench = Bench::new();
    let real = bench.path("real.json");
    fs::write(&real, "old").expect("a file");
    std::os::unix::fs::symlink(&real, bench.path("result.json")).expect("a link");
    assert_eq!(finish(&mut bench.compare(GOOD)).status, 0);
    assert_eq!(bench.files(), ["real.json", "result.html", "result.json"]);
    assert!(bench.path("result.json").is_symlink());
    assert_ne!(fs::read_to_string(&real).expect("a file"), "old");
}
