//! `diff`, `compare --baseline`, `merge` and `--shard`: what changed, whether anything did, and parts that make a whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{Bench, Outcome, finish, xtask};

/// Two scenarios under all allocators, into this file.
fn measure(to: &Path, arguments: &[&str]) -> Outcome {
    let mut command = xtask(&["compare", "--scenario", "int-list", "--scenario", "tree"]);
    command.args(["--size", "1000", "--out"]).arg(to);
    finish(command.args(arguments))
}

fn diff(old: &Path, new: &Path, arguments: &[&str]) -> Outcome {
    finish(xtask(&["diff"]).args([old, new]).args(arguments))
}

/// The result with one thing changed.
fn changed(from: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let text = fs::read_to_string(from).expect("a result");
    let mut result: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut result);
    let to = from.with_extension("changed.json");
    fs::write(&to, result.to_string()).expect("a file");
    to
}

#[test]
fn shards_merged_are_what_one_run_measures() {
    let bench = Bench::new();
    let whole = bench.path("whole.json");
    assert_eq!(measure(&whole, &[]).status, 0);
    let mut merge = xtask(&["merge", "--out"]);
    merge.arg(bench.path("merged.json"));
    for shard in ["3/5", "1/5", "5/5", "2/5", "4/5"] {
        let part = bench.path(&shard.replace('/', "-of-"));
        let measured = measure(&part, &["--shard", shard]);
        assert_eq!(measured.status, 0, "{}", measured.stderr);
        merge.arg(part);
    }
    let merged = finish(&mut merge);
    assert_eq!(merged.status, 0, "{}", merged.stderr);
    let same = diff(&whole, &bench.path("merged.json"), &[]);
    assert_eq!(same.status, 0, "{}{}", same.stdout, same.stderr);
    assert!(
        same.stdout
            .ends_with("no cell of 8 changed; 8 are the same\n")
    );

    let cells = |path: &Path| -> Vec<(Value, Value)> {
        let text = fs::read_to_string(path).expect("a result");
        let result: Value = serde_json::from_str(&text).expect("JSON");
        let cells = result["cells"].as_array().expect("cells").iter();
        let names = cells.map(|cell| (cell["scenario"].clone(), cell["allocator"].clone()));
        names.collect()
    };
    assert_eq!(cells(&whole), cells(&bench.path("merged.json")));
}

#[test]
fn a_page_more_is_a_change_and_status_1() {
    let bench = Bench::new();
    let old = bench.path("old.json");
    assert_eq!(measure(&old, &[]).status, 0);
    let new = changed(&old, |result| {
        let kept = &mut result["cells"][2]["checkpoints"][2]["kept_kib"];
        *kept = (kept.as_i64().expect("KiB") + 4).into();
    });
    let found = diff(&old, &new, &[]);
    assert_eq!(found.status, 1, "{}", found.stderr);
    assert!(
        found.stdout.contains("int-list under mimalloc"),
        "{}",
        found.stdout
    );
    assert_eq!(found.stderr, "1 of 8 cells changed; 7 are the same\n");

    let json = diff(&old, &new, &["--format", "json"]);
    assert_eq!(json.status, 1);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let change = &json["cells"][0]["changes"][0];
    let page = change["new_kib"].as_i64().zip(change["old_kib"].as_i64());
    assert_eq!(page.map(|(new, old)| new - old), Some(4));
    assert_eq!(change["noise"], false);

    let page = diff(&old, &new, &["--format", "html"]);
    assert_eq!(page.status, 1);
    let said = "<b>1 of 8 cells changed; 7 are the same</b>";
    assert!(page.stdout.contains(said), "{}", page.stderr);

    let markdown = diff(&old, &new, &["--format", "markdown"]);
    assert!(markdown.stdout.starts_with("### 1 of 8 cells changed"));
}

#[test]
fn a_baseline_is_about_what_is_measured_now() {
    let bench = Bench::new();
    let old = bench.path("old.json");
    assert_eq!(measure(&old, &[]).status, 0);
    let again = |baseline: &Path| {
        let baseline = baseline.to_str().expect("text");
        let arguments = ["--allocator", "system", "--baseline", baseline];
        measure(&bench.path("new.json"), &arguments)
    };
    let same = again(&old);
    assert_eq!(same.status, 0, "{}", same.stderr);
    assert!(
        same.stdout
            .ends_with("no cell of 2 changed; 2 are the same\n")
    );

    let other = changed(&old, |result| {
        result["cells"][0]["verdict"]["returns"] = "never".into();
    });
    let found = again(&other);
    assert_eq!(found.status, 1, "{}", found.stderr);
    assert!(
        found.stderr.contains("1 of 2 cells changed"),
        "{}",
        found.stderr
    );
    assert!(
        bench.path("new.json").exists(),
        "the result is written all the same"
    );
    let page = fs::read_to_string(bench.path("new.html")).expect("the page beside it");
    assert!(page.contains("never before, "), "and says what changed");
}

#[test]
fn the_same_cells_of_two_machines_stand_side_by_side() {
    let bench = Bench::new();
    let here = bench.path("here.json");
    assert_eq!(measure(&here, &["--allocator", "system"]).status, 0);
    let there = changed(&here, |result| result["host"]["glibc"] = "9.99".into());
    let merged = finish(xtask(&["merge"]).args([&here, &there]));
    assert_eq!(merged.status, 0, "{}", merged.stderr);
    let rows = ["system on here ", "system on here.changed "];
    assert!(
        rows.iter().all(|row| merged.stdout.contains(row)),
        "{}",
        merged.stdout
    );
}
