//! `plot`: a chart of an earlier result in a file, or a line that says what there is to plot.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{Bench, Outcome, finish, root, xtask};

/// A result of one scenario under two allocators.
fn result() -> PathBuf {
    root().join("crates/report/tests/documents/compare.json")
}

fn plot(result: &Path, out: &Path, arguments: &[&str]) -> Outcome {
    finish(
        xtask(&["plot"])
            .arg(result)
            .arg("--out")
            .arg(out)
            .args(arguments),
    )
}

#[test]
fn each_chart_is_an_svg_and_a_png() {
    let bench = Bench::new();
    for what in ["curve", "ledger", "tradeoff", "matrix"] {
        for (ending, start) in [("svg", &b"<svg xmlns="[..]), ("PNG", b"\x89PNG\r\n")] {
            let out = bench.path(&format!("{what}.{ending}"));
            let mut arguments = vec!["--what", what];
            if what == "ledger" {
                arguments.extend(["--allocator", "jemalloc"]);
            }
            let plotted = plot(&result(), &out, &arguments);
            assert_eq!(plotted.status, 0, "{}", plotted.stderr);
            assert_eq!(plotted.stdout, "");
            assert!(fs::read(&out).expect("a file").starts_with(start), "{what}");
        }
    }
    let of_system = bench.path("of-system.svg");
    let arguments = ["--what", "curve", "--allocator", "system", "--knob", "all"];
    assert_eq!(plot(&result(), &of_system, &arguments).status, 0);
    let svg = |path: &Path| fs::read_to_string(path).expect("an SVG");
    assert!(svg(&bench.path("curve.svg")).contains(">jemalloc</text>"));
    assert!(
        !svg(&of_system).contains(">jemalloc</text>"),
        "it was not chosen"
    );
}

/// The result with one thing changed.
fn changed(bench: &Bench, change: impl FnOnce(&mut Vec<Value>)) -> PathBuf {
    let text = fs::read_to_string(result()).expect("a result");
    let mut result: Value = serde_json::from_str(&text).expect("JSON");
    change(result["cells"].as_array_mut().expect("cells"));
    let path = bench.path("result.json");
    fs::write(&path, result.to_string()).expect("a file");
    path
}

#[test]
fn knobs_are_lines_where_they_are_not_too_many() {
    let bench = Bench::new();
    let result = changed(&bench, |cells| {
        for mut cell in cells.clone() {
            cell["knob"] = "turned".into();
            cells.push(cell);
        }
    });
    let lines = |arguments: &[&str]| {
        let out = bench.path("curve.svg");
        let plotted = plot(&result, &out, &[&["--what", "curve"], arguments].concat());
        assert_eq!(plotted.status, 0, "{}", plotted.stderr);
        let svg = fs::read_to_string(&out).expect("an SVG");
        let names = ["system", "jemalloc", "system turned", "jemalloc turned"];
        names.map(|name| svg.contains(&format!(">{name}</text>")))
    };
    assert_eq!(lines(&[]), [true, true, false, false]);
    let of_system = lines(&["--allocator", "system"]);
    assert_eq!(of_system, [true, false, true, false]);
    assert_eq!(lines(&["--knob", "turned"]), [false, false, true, true]);
    assert_eq!(lines(&["--knob", "all"]), [true; 4]);
}

#[test]
fn cells_that_were_not_walked_alike_are_not_one_curve() {
    let bench = Bench::new();
    let other = changed(&bench, |cells| cells[1]["size"] = 1.into());
    let line = "a curve is of one experiment: these differ in size, seed or conditions; measure again with one of each";
    check(&other, "x.svg", &["--what", "curve"], line);
    let none = changed(&bench, Vec::clear);
    let refused = plot(&none, &bench.path("x.svg"), &["--what", "matrix"]);
    assert!(
        refused.stderr.ends_with("it has no cell\n"),
        "{}",
        refused.stderr
    );
}

/// These arguments are answered with this line, and nothing is written.
#[track_caller]
fn check(result: &Path, out: &str, arguments: &[&str], line: &str) {
    let bench = Bench::new();
    let out = bench.path(out);
    let refused = plot(result, &out, arguments);
    assert_eq!(refused.status, 2, "{}", refused.stderr);
    let seen = refused.stderr.replace(
        &format!("{}/", out.parent().expect("a folder").display()),
        "",
    );
    let seen = seen.replace(&format!("{}/", root().display()), "");
    assert_eq!(seen, format!("error: {line}\n"));
    assert!(!out.exists());
}

#[test]
fn a_selection_that_fits_nothing_is_answered_with_what_there_is() {
    let refused = |arguments: &[&str], line: &str| check(&result(), "x.svg", arguments, line);
    refused(
        &["--what", "curve", "--allocator", "jemaloc"],
        "unknown allocator \"jemaloc\": there are system, jemalloc; did you mean jemalloc?",
    );
    refused(
        &["--what", "matrix", "--scenario", "tree"],
        "unknown scenario \"tree\": there are int-list",
    );
    refused(
        &["--what", "ledger"],
        "a ledger is of one cell: choose by --allocator among system, jemalloc",
    );
    let file = "crates/report/tests/documents/compare.json";
    refused(
        &["--what", "curve", "--machine", "here"],
        &format!("there is no machine to choose by in {file}"),
    );
    refused(
        &["--what", "tradeoff", "--allocator", "system"],
        &format!("cannot plot {file}: it takes two contestants that were measured to the end"),
    );
    refused(
        &["--what", "curv"],
        "unknown what \"curv\": there are curve, ledger, tradeoff, matrix; did you mean curve?",
    );
}

#[test]
fn what_is_no_result_or_no_picture_is_refused() {
    let curve = ["--what", "curve"];
    for out in ["x.jpg", "x", ".svg"] {
        let line = format!("cannot write {out}: its name ends neither in .svg nor in .png");
        check(&result(), out, &curve, &line);
    }
    let bench = Bench::new();
    fs::create_dir(bench.path("folder.png")).expect("a folder");
    let refused = plot(&result(), &bench.path("folder.png"), &curve);
    assert_eq!(refused.status, 2);
    assert!(
        refused
            .stderr
            .ends_with("it is a folder; name a file in it\n"),
        "{}",
        refused.stderr
    );
    let readme = root().join("README.md");
    check(
        &readme,
        "x.svg",
        &curve,
        "cannot read README.md: it is no JSON, at line 1, column 1",
    );
}
