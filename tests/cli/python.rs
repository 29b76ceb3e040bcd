//! Live CPythons: the model against them, and what the command line says where there are none.
//!
//! A test is skipped, and says so, on a machine without the interpreters that it needs.

use std::path::Path;
use std::time::{Duration, Instant};

use oracle::is_within;
use serde_json::Value;

use crate::run::{Bench, Outcome, finish, say, xtask};

/// The versions that the model is held against, where they are installed.
const SERIES: [&str; 9] = [
    "2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13",
];

/// The document that `python` prints, and how it ended.
#[track_caller]
fn predictions(arguments: &[&str]) -> (Outcome, Value) {
    let outcome = finish(xtask(&["python", "--format", "json"]).args(arguments));
    let document = serde_json::from_str(&outcome.stdout);
    let document = document.unwrap_or_else(|_| panic!("no document: {}", outcome.stderr));
    (outcome, document)
}

fn rows(document: &Value) -> impl Iterator<Item = &Value> {
    document["rows"].as_array().expect("rows").iter()
}

/// Every interpreter here keeps what the model predicts, built, dropped, collected and released, and
/// none what is predicted of Python 2.4 on 32 bits.
#[track_caller]
fn check(scenario: &str) {
    let (outcome, document) = predictions(&["--scenario", scenario]);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let kib = |row: &Value, name: &str| row[name].as_i64().expect("a figure");
    let live: Vec<&Value> = rows(&document)
        .filter(|row| !row["interpreter"].is_null())
        .collect();
    for row in &live {
        let (predicted, measured) = (kib(row, "predicted_kib"), kib(row, "measured_kib"));
        assert!(is_within(predicted, measured), "{row}");
        assert_eq!(row["within"], true);
        assert_eq!(row["difference_kib"], measured - predicted);
    }
    for series in SERIES {
        let version = |row: &Value| row["version"].as_str().unwrap_or_default().to_owned();
        let of_series = live.iter().filter(|r| {
            let rest = version(r);
            rest.strip_prefix(series)
                .is_some_and(|rest| rest.starts_with('.'))
        });
        let of_series: Vec<_> = of_series.collect();
        if of_series.is_empty() {
            say(&format!(
                "no CPython {series} here: {scenario} was not checked"
            ));
            continue;
        }
        // The control: another Python's figures are further off than these may be.
        let other = rows(&document).filter(|row| row["python"] == "2.4 32-bit");
        let other: Vec<i64> = other.map(|row| kib(row, "predicted_kib")).collect();
        for of_one in of_series.chunks(other.len()) {
            let measured = of_one.iter().map(|row| kib(row, "measured_kib"));
            let mut pairs = other.iter().zip(measured);
            assert!(
                pairs.any(|(other, measured)| !is_within(*other, measured)),
                "{series} keeps of {scenario} what 2.4 does"
            );
        }
    }
}

#[test]
fn a_list_of_ints_stays_as_predicted() {
    check("python-int-list");
}

#[test]
fn a_list_of_floats_stays_as_predicted() {
    check("python-float-list");
}

#[test]
fn what_survivors_pin_is_as_predicted() {
    check("python-objects");
}

#[test]
fn strings_of_100_characters_stay_as_predicted() {
    check("python-strings-100");
}

#[test]
fn strings_of_400_characters_stay_as_predicted() {
    check("python-strings-400");
}

#[test]
fn a_stream_of_ints_leaves_nothing_where_the_list_of_them_would() {
    let stream = [
        "--scenario",
        "python-int-stream",
        "--scenario",
        "python-int-list",
    ];
    let (outcome, document) = predictions(&[&stream[..], &["--size", "200000"]].concat());
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let built = rows(&document).filter(|row| row["checkpoint"] == "built");
    let mut live = built.filter(|row| !row["interpreter"].is_null()).peekable();
    if live.peek().is_none() {
        say("no CPython here: what a stream of ints leaves was not checked");
    }
    for row in live {
        let kib = row["measured_kib"].as_i64().expect("a figure");
        let holds_next_to_nothing = kib <= 64;
        assert_eq!(
            holds_next_to_nothing,
            row["scenario"] == "python-int-stream",
            "{row}"
        );
    }
}

/// The executable of some interpreter here that is at least this new.
fn some_interpreter(major: u32, minor: u32) -> Option<String> {
    let (_, document) = predictions(&["--scenario", "python-int-stream", "--size", "1"]);
    let is_new_enough = |row: &&Value| {
        let version = row["version"].as_str().unwrap_or_default();
        let mut numbers = version.split('.').filter_map(|n| n.parse::<u32>().ok());
        (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
    };
    let found = rows(&document).find(is_new_enough);
    let found = found.and_then(|row| row["interpreter"].as_str().map(str::to_owned));
    if found.is_none() {
        say(&format!(
            "no CPython from {major}.{minor} on here: its knobs were not turned"
        ));
    }
    found
}

#[test]
fn knobs_of_an_interpreter_are_turned_and_its_account_is_read() {
    let Some(interpreter) = some_interpreter(3, 6) else {
        return;
    };
    let bench = Bench::new();
    let mut compare = xtask(&[
        "compare",
        "--allocator",
        "system",
        "--scenario",
        "python-int-list",
    ]);
    compare.args([
        "--size",
        "200000",
        "--knob",
        "default",
        "--knob",
        "objects-by-malloc",
        "--knob",
        "gc-after-drop",
    ]);
    let outcome = finish(
        compare
            .args(["--interpreter", &interpreter])
            .arg("--out")
            .arg(bench.path("result.json")),
    );
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let result = bench.written();
    let cells = result["cells"].as_array().expect("cells");
    let of = |knob: &str| {
        let is_it = |cell: &&Value| {
            let name = cell["allocator"].as_str().expect("a name");
            name.starts_with("cpython-") && cell["knob"] == knob
        };
        cells.iter().find(is_it).expect("a cell")
    };
    let default = of("default");
    assert_eq!(default["python"], of("objects-by-malloc")["python"]);
    for condition in [
        "fixed_addresses",
        "no_huge_pages",
        "one_cpu",
        "seeded_randomness",
    ] {
        assert_eq!(default["upheld"][condition], true, "{condition}");
    }
    assert_eq!(default["upheld"]["lab_clock"], false);
    // 48 bytes by malloc instead of 32 in a pool, of 200,000 ints.
    let occupied = |cell: &Value| cell["verdict"]["occupied_kib"].as_i64().expect("a figure");
    assert!(occupied(of("objects-by-malloc")) > occupied(default) + 2500);
    for cell in [default, of("objects-by-malloc")] {
        let unexplained = cell["verdict"]["unexplained"].as_f64().expect("a share");
        assert!(unexplained < 0.2, "{unexplained}"); // what is in arenas is not known by the page
    }
}

#[test]
fn an_interpreter_that_is_none_fails_its_cell_with_a_line_and_the_others_go_on() {
    let bench = Bench::new();
    let says = |name: &str, version: &str, series: &str| {
        let answer = format!("python\\n{version}\\n{series}\\n64\\n16\\ncpython\\n\\n");
        bench.script(name, &format!("case \"$*\" in *PROTOCOL*) echo '{name} is out of luck' >&2; exit 3;; esac\nprintf '{answer}'"))
    };
    let old = says("old", "2.6.9", "2\\n6");
    let dies = says("dies", "3.12.1", "3\\n12");
    let pypy = bench.script(
        "other",
        "printf 'python\\n3.10.1\\n3\\n10\\n64\\n0\\npypy\\n\\n'",
    );
    let way_out = "give the path of a CPython, or the name of one on the PATH";
    let faults = [
        (
            &"/bin/true".to_owned(),
            format!(
                "/bin/true is no Python: it said nothing when asked for its version; {way_out}"
            ),
        ),
        (
            &pypy,
            format!(
                "{pypy} is another Python 3.10.1 than CPython, whose layers these are; {way_out}"
            ),
        ),
        (
            &old,
            format!(
                "{old} is Python 2.6.9, and the script needs 2.7 or later: of an older one there is \
                 the model, --python 2.4"
            ),
        ),
        (
            &dies,
            "exited with status 3 while asked to say hello: \"dies is out of luck\"".to_owned(),
        ),
    ];
    let mut compare = xtask(&[
        "compare",
        "--scenario",
        "python-int-stream",
        "--size",
        "1000",
    ]);
    compare.args(["--allocator", "system", "--python", "2.7"]);
    compare.arg("--out").arg(bench.path("result.json"));
    for (interpreter, _) in &faults {
        compare.args(["--interpreter", interpreter]);
    }
    let outcome = finish(&mut compare);
    assert_eq!(outcome.status, 1);
    let result = bench.written();
    let cells = result["cells"].as_array().expect("cells");
    let failures: Vec<&str> = cells.iter().filter_map(|c| c["failure"].as_str()).collect();
    for (_, line) in &faults {
        assert!(
            failures.contains(&line.as_str()),
            "{line:?} is not in {failures:?}"
        );
    }
    assert_eq!(failures.len(), faults.len());
    assert_eq!(cells.len(), faults.len() + 1);

    let unknown = says("new", "3.15.0", "3\\n15");
    let arguments = ["--interpreter", &unknown, "--scenario", "python-int-stream"];
    let (outcome, document) = predictions(&[&arguments[..], &["--size", "1000"]].concat());
    assert_eq!(outcome.status, 1);
    let said = document["unchecked"].to_string();
    let sentence = "cpython-3.15.0 is predicted as Python 3.14 64-bit, the nearest: the model does not \
                    know Python 3.15 64-bit.";
    assert!(said.contains(sentence), "{said}");
}

#[test]
fn what_an_interpreter_leaves_behind_is_not_waited_for_and_ends() {
    let bench = Bench::new();
    let answer = "printf 'python\\n2.6.9\\n2\\n6\\n64\\n16\\ncpython\\n\\n'";
    let stray = bench.path("stray");
    let script = format!("sleep 25 & echo $! > {}\n{answer}", stray.display());
    let leaves = bench.script("leaves", &script);
    let start = Instant::now();
    let arguments = ["--scenario", "python-int-stream", "--size", "1000"];
    let (outcome, document) = predictions(&[&["--interpreter", &leaves], &arguments[..]].concat());
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    let said = document["unchecked"].to_string() + &outcome.stderr;
    assert!(said.contains("is Python 2.6.9"), "{said}");
    let stray = std::fs::read_to_string(stray).expect("it has started");
    let command = std::fs::read(format!("/proc/{}/cmdline", stray.trim()));
    assert_eq!(command.unwrap_or_default(), b"", "it is alive"); // a dead one has no arguments
}

#[test]
fn a_knob_that_an_interpreter_is_too_old_for_is_not_turned() {
    let bench = Bench::new();
    let old = "printf 'python\\n2.7.18\\n2\\n7\\n64\\n16\\ncpython\\n\\n'";
    let old = bench.script("old", old);
    let mut compare = xtask(&[
        "compare",
        "--allocator",
        "system",
        "--knob",
        "objects-by-malloc",
    ]);
    compare.args(["--scenario", "python-int-stream", "--interpreter", &old]);
    let outcome = finish(compare.arg("--out").arg(bench.path("result.json")));
    assert_eq!(outcome.status, 1);
    let failure = &bench.written()["cells"][0]["failure"];
    assert_eq!(
        failure,
        "objects-by-malloc can be turned from CPython 3.6 on"
    );
}

#[test]
fn without_interpreters_the_model_is_shown_and_what_was_not_checked_is_said() {
    // Built beforehand: where there is no Python there is no linker either, in this test.
    let (outcome, _) = predictions(&["--scenario", "python-int-stream", "--size", "1"]);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    let tools = Path::new(env!("CARGO")).parent().expect("a folder");
    let mut alone = xtask(&[
        "python",
        "--scenario",
        "python-int-list",
        "--size",
        "100000",
    ]);
    alone.env("PATH", tools).env("PYENV_ROOT", "/nonexistent");
    let json = finish(alone.args(["--format", "json"]));
    assert_eq!(json.status, 0, "{}", json.stderr);
    let document: Value = serde_json::from_str(&json.stdout).expect("a document");
    for row in rows(&document) {
        assert!(row["measured_kib"].is_null(), "{row}");
        assert!(row["predicted_kib"].is_i64(), "{row}");
    }
    let pythons = rows(&document).filter_map(|row| row["python"].as_str());
    assert!({ pythons }.any(|python| python == "2.4 32-bit"));
    let said = document["unchecked"][0].as_str().expect("a sentence");
    assert!(said.starts_with("Nothing was checked:"), "{said}");
    assert_eq!(
        document["waterfalls"][0]["steps"]
            .as_array()
            .expect("steps")
            .len(),
        4
    );
}
