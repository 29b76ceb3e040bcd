//! What the workflow for other projects does with a project's subject and its baseline: `.ci/retention`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::run::{Outcome, assert_has, finish, root, xtask};

/// A project with a subject of its own, and a folder for what the workflow's jobs pass on.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Project { folder };
        fs::create_dir(project.path("project")).expect("a folder");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn retention(&self, subject: &str, arguments: &[&str]) -> Outcome {
        let mut script = Command::new("bash");
        script.arg(root().join(".ci/retention")).args(arguments);
        script
            .env("AFTERDROP_XTASK", env!("CARGO_BIN_EXE_xtask"))
            .env("PROJECT", self.path("project"))
            .env("OUT", self.path("out"))
            .env("SUBJECTS", subject)
            .env("SCENARIOS", "int-list tree")
            .env("ARGUMENTS", "--size 1000 --rounds 1")
            .env_remove("GITHUB_RUN_ID")
            .env_remove("GITHUB_STEP_SUMMARY");
        finish(&mut script)
    }
}

#[test]
fn a_projects_own_baseline_holds_until_a_page_differs() {
    let project = Project::new();
    // A subject like any other, and one that is there.
    let built = finish(&mut xtask(&[
        "compare",
        "--allocator",
        "system",
        "--size",
        "1000",
    ]));
    assert_eq!(built.status, 0, "{}", built.stderr);
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or(root().join("target"));
    let subject = target.join("release/with-system");
    fs::copy(subject, project.path("project/mine")).expect("a subject");
    for part in ["1/2", "2/2"] {
        let measured = project.retention("mine", &["measure", part]);
        assert_eq!(measured.status, 0, "{}", measured.stderr);
    }
    let first = project.retention("mine", &["judge"]);
    assert_eq!(first.status, 1, "{}", first.stderr);
    assert_has(
        &first.stdout,
        &["There is no retention.json yet", "| mine "],
    );
    let accept = format!(
        "cp {} retention.json",
        project.path("out/retention.json").display()
    );
    assert_has(&first.stderr, &[&accept]);

    let result = fs::read_to_string(project.path("out/retention.json")).expect("a result");
    let baseline = project.path("project/retention.json");
    fs::write(&baseline, &result).expect("a file");
    let same = project.retention("mine", &["judge"]);
    assert_eq!(same.status, 0, "{}", same.stderr);
    assert_has(&same.stdout, &["### no cell of 2 changed"]);

    let mut other: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    other["cells"][0]["checkpoints"][1]["kept_kib"] = 1_000_000.into();
    fs::write(&baseline, other.to_string()).expect("a file");
    let changed = project.retention("mine", &["judge"]);
    assert_eq!(changed.status, 1, "{}", changed.stderr);
    assert_has(&changed.stdout, &["### 1 of 2 cells changed", "1,000,000"]);

    fs::write(&baseline, "{").expect("a file");
    let unreadable = project.retention("mine", &["judge"]);
    assert_eq!(unreadable.status, 2, "{}", unreadable.stderr);
    assert_has(&unreadable.stdout, &["it ends in the middle"]);
}
