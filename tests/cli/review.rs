//! What the workflow does with a snapshot that differs: its scripts, run in a repository of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::run::{Outcome, assert_has, finish, root};

/// What every workspace has: insta's files are the reviewer's, not git's.
const IGNORED: &str = "target/\n*.snap.new\n";
const SNAPSHOT: &str = "tests/it/snapshots/verdict@int-list_system.snap";

/// A repository whose object is built as often as a file in it says.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new() -> Repository {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository { folder };
        for script in ["review", "pending", "suite"] {
            let text = fs::read_to_string(root().join(".ci").join(script)).expect("a script");
            repository.write(&format!(".ci/{script}"), &text);
        }
        repository.write(".gitignore", IGNORED);
        repository.write("rounds", "1");
        repository.write(SNAPSHOT, &snapshot("on-activity"));
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.folder.path());
        apart(&mut git);
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        let outcome = finish(git.args(arguments));
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    }

    #[track_caller]
    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "as it is"]);
    }

    /// `.ci/review` as a job of run 7 would run it.
    fn review(&self, base: &str) -> Outcome {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let measure = format!(
            "#!/bin/sh\necho \"$CARGO_TARGET_DIR\" >> '{}'\nrounds=$(cat rounds)\n\
             cd '{}' && CARGO_TARGET_DIR='{}' exec '{}' \"$@\" --size 1000 --rounds \"$rounds\"\n",
            self.path("target/built-in").display(),
            root().display(),
            target.unwrap_or(root().join("target")).display(),
            env!("CARGO_BIN_EXE_xtask"),
        );
        self.write("target/measure", &measure);
        let measure = format!("sh {}", self.path("target/measure").display());
        let mut review = Command::new("bash");
        review.arg(self.path(".ci/review")).arg(base);
        review
            .env("AFTERDROP_XTASK", measure)
            .env_remove("CARGO_TARGET_DIR")
            .env("GITHUB_RUN_ID", "7")
            .env("REVIEW_ARTIFACT", "review-here")
            .env("GITHUB_STEP_SUMMARY", self.path("target/summary"));
        finish(apart(&mut review))
    }

    fn suite(&self, run: &str) -> Outcome {
        self.write(".ci/run", run);
        finish(apart(Command::new("bash").arg(self.path(".ci/suite"))))
    }

    fn summary(&self) -> String {
        fs::read_to_string(self.path("target/summary")).expect("a summary")
    }
}

/// Nothing that the user's git has been told, nor where it stands: a hook tells the latter to all that it runs.
fn apart(command: &mut Command) -> &mut Command {
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
}

fn snapshot(returns: &str) -> String {
    format!("---\nsource: tests/it/retention.rs\n---\nreturns: {returns}\nafter: 60010 ms\n")
}

#[test]
fn a_pending_snapshot_is_shown_with_what_changed_and_how_to_accept_it() {
    let repository = Repository::new();
    repository.write("rounds", "2");
    let pending = format!("{SNAPSHOT}.new");
    repository.write(&pending, &snapshot("never"));
    let reviewed = repository.review("main");
    assert_eq!(reviewed.status, 1, "{}", reviewed.stderr);
    let how = [
        "gh run download 7 --name review-here --dir target/review",
        "cp -r target/review/pending/. .",
        "cargo insta review",
    ];
    assert_has(&reviewed.stderr, &how);
    let summary = repository.summary();
    assert_has(&summary, &how);
    assert_has(&summary, &["1 to review, 0 accepted"]);
    assert_has(&summary, &["-returns: on-activity\n+returns: never\n"]);
    assert_has(
        &summary,
        &["### 1 of 1 cells changed", "checkpoints 15 before, 17 now"],
    );
    let built_in = fs::read_to_string(repository.path("target/built-in")).expect("two folders");
    let base = repository.path("target/base");
    assert_eq!(
        built_in,
        format!("{}\n\n", base.display()),
        "each is built apart"
    );
    for file in ["compare.html", "base.json", &format!("pending/{pending}")] {
        let path = repository.path("target/review").join(file);
        assert!(path.exists(), "no {file}");
    }
}

#[test]
fn an_accepted_snapshot_is_shown_and_passes() {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    repository.write(SNAPSHOT, &snapshot("at-once"));
    repository.commit();
    let reviewed = repository.review("main");
    assert_eq!(reviewed.status, 0, "{}", reviewed.stderr);
    let summary = repository.summary();
    assert_has(
        &summary,
        &["0 to review, 1 accepted", "no cell of 1 changed"],
    );
    assert_has(&summary, &["-returns: on-activity\n+returns: at-once\n"]);
}

#[test]
fn where_no_snapshot_differs_nothing_is_measured() {
    let repository = Repository::new();
    repository.write("rounds", "2");
    let reviewed = repository.review("main");
    assert_eq!(reviewed.status, 0, "{}", reviewed.stderr);
    assert_eq!(reviewed.stdout, "no snapshot differs\n");
    assert!(!repository.path("target/summary").exists());
    assert!(!repository.path("target/review").exists());
}

/// As of a branch that is pushed for the first time.
#[test]
fn without_a_base_the_figures_are_shown_as_they_are() {
    let repository = Repository::new();
    repository.write(&format!("{SNAPSHOT}.new"), &snapshot("never"));
    let reviewed = repository.review(&"0".repeat(40));
    assert_eq!(reviewed.status, 1, "{}", reviewed.stderr);
    assert_has(
        &repository.summary(),
        &["+returns: never\n", "### int-list"],
    );
}

#[test]
fn the_suite_keeps_what_differs_and_fails() {
    let repository = Repository::new();
    assert_eq!(repository.suite("true\n").status, 0);
    assert_eq!(repository.suite("exit 101\n").status, 101);
    let differs = "[ $INSTA_UPDATE$INSTA_FORCE_PASS = new1 ] && touch a.snap.new\n";
    let outcome = repository.suite(differs);
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    assert_has(&outcome.stderr, &["snapshots that differ: 1"]);
}
