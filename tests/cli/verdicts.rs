//! `verdicts` shows what the suite asserts, without measuring.

use crate::run::{finish, xtask};

#[test]
fn the_verdicts_are_those_of_the_suites_snapshots() {
    let all = finish(&mut xtask(&["verdicts", "--scenario", "all"]));
    assert_eq!(all.status, 0, "{}", all.stderr);
    let row = all
        .stdout
        .lines()
        .find(|line| line.starts_with("survivors-1000 "));
    let row = row.expect("a row");
    for (allocator, file) in [("system", "on-request"), ("pool", "at-once")] {
        let snapshot = format!("tests/it/snapshots/verdict@survivors-1000_{allocator}.snap");
        let snapshot = std::fs::read_to_string(crate::run::root().join(snapshot)).expect("one");
        assert!(snapshot.contains(&format!("returns: {file}\n")));
        assert!(row.contains(&file.replace('-', " ")), "{row}");
    }
    let scenarios = all.stdout.lines().count() - 2; // the header and its rule
    assert_eq!(scenarios, suite_scenarios());
}

/// How many scenarios have verdicts that hold on every machine, as the snapshots' names say.
fn suite_scenarios() -> usize {
    let files = std::fs::read_dir(crate::run::root().join("tests/it/snapshots")).expect("a folder");
    let names = files.map(|file| {
        file.expect("a file")
            .file_name()
            .into_string()
            .expect("text")
    });
    let of_pool = names.filter(|name| name.starts_with("verdict@") && name.ends_with("_pool.snap"));
    of_pool
        .filter(|name| !name.starts_with("verdict@python-"))
        .count()
}

#[test]
fn an_unknown_scenario_is_named() {
    let outcome = finish(&mut xtask(&["verdicts", "--scenario", "int-lisd"]));
    assert_eq!(outcome.status, 2);
    assert!(
        outcome.stderr.ends_with("did you mean int-list?\n"),
        "{}",
        outcome.stderr
    );
}
