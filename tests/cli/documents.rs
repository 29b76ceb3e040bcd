//! Documents hold what their commands print, and `readme --check` fails where one does not.

use std::process::Command;

use serde_json::Value;

use crate::run::{Bench, finish, root, say, xtask};

/// A document with one block, in a folder of its own, and where it stands.
fn document(text: &str) -> (Bench, String) {
    let bench = Bench::new();
    let path = bench.path("document.md");
    std::fs::write(&path, text).expect("a document");
    (bench, path.into_os_string().into_string().expect("text"))
}

const STALE: &str =
    "before\n<!-- $ echo new; pwd | tail -c 1 -->\n```\nold\n```\n<!-- end -->\nafter\n";

#[test]
fn a_stale_block_is_shown_and_then_renewed() {
    let (_bench, path) = document(STALE);
    let check = finish(&mut xtask(&["readme", "--check", &path]));
    assert_eq!(check.status, 1);
    assert!(check.stdout.contains("\n-old\n+new\n"), "{}", check.stdout);
    assert!(check.stdout.contains(&format!("{path}:2, as it stands")));
    let advice = format!("1 stale: renew with cargo xtask readme {path}\n");
    assert!(check.stderr.ends_with(&advice), "{}", check.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("text"), STALE);

    assert_eq!(finish(&mut xtask(&["readme", &path])).status, 0);
    let renewed = std::fs::read_to_string(&path).expect("text");
    assert_eq!(renewed, STALE.replace("old", "new"));
    let check = finish(&mut xtask(&["readme", "--check", &path]));
    assert_eq!((check.status, check.stdout.as_str()), (0, ""));
}

#[track_caller]
fn check_fault(text: &str, status: i32, fault: &str) {
    let (_bench, path) = document(text);
    let outcome = finish(&mut xtask(&["readme", &path]));
    assert_eq!(outcome.status, status);
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert_eq!(last, format!("error: {}", fault.replace("PATH", &path)));
    assert_eq!(std::fs::read_to_string(&path).expect("text"), text);
}

#[test]
fn a_document_that_cannot_be_renewed_stays_as_it_is() {
    check_fault(
        "<!-- $ echo -->\n",
        2,
        "PATH:1: this block has no <!-- end -->",
    );
    check_fault(
        "nothing\n",
        2,
        "PATH has no block: put <!-- $ COMMAND --> and <!-- end --> where one is to be",
    );
    check_fault(
        "<!-- $ cargo xtask list --format tabl -->\n<!-- end -->\n",
        1,
        "cargo xtask list --format tabl: exit status: 2: error: unknown format \"tabl\": there are \
         table, json; did you mean table?",
    );
}

#[test]
fn the_verdicts_that_answer_questions_are_those_that_are_asserted() {
    let check = finish(&mut xtask(&["readme", "--check", "docs/faq.md"]));
    assert_eq!(check.status, 0, "{}{}", check.stdout, check.stderr);
}

#[test]
fn where_the_records_hold_the_figures_in_the_documents_do() {
    let test = "where_the_records_hold_the_figures_in_the_documents_do";
    let bench = Bench::new();
    let measured = finish(&mut bench.compare(&["--allocator", "system"]));
    assert_eq!(measured.status, 0, "{}", measured.stderr);
    if let Some(reason) = another_machine(&bench.written()["host"]) {
        say(&format!("{reason}: {test} is skipped"));
        return;
    }
    let check = finish(&mut xtask(&[
        "readme",
        "--check",
        "README.md",
        "docs/allocators.md",
    ]));
    assert_eq!(check.status, 0, "{}{}", check.stdout, check.stderr);
}

/// Why this machine's figures need not be those of the records.
fn another_machine(host: &Value) -> Option<String> {
    let conditions = host["lab_conditions"].as_array().expect("a list");
    if let Some(missing) = conditions.iter().find(|c| c["held"] != true) {
        return Some(format!("this machine forbids {}", missing["name"]));
    }
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .expect("a compiler");
    let rustc = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let fact = |name: &str| host[name].as_str().unwrap_or_default();
    let record = format!(
        "record@int-list_system_{glibc}_glibc-{glibc}_{}_{}_rustc-{}.snap",
        fact("architecture"),
        host["page_size_bytes"],
        rustc.split(' ').nth(1).unwrap_or_default(),
        glibc = fact("glibc"),
    );
    let there = root().join("tests/it/snapshots").join(&record).exists();
    (!there).then(|| format!("there is no {record}"))
}
