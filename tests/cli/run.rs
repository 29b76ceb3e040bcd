//! How a test runs the command line.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Enough for every kind of checkpoint, and next to no time.
const SMALL: &str = "1000";

/// What a finished command left.
pub struct Outcome {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The executable, with these arguments, in the workspace's root; what the one who tests thinks of colours
/// does not count.
pub fn xtask(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(root());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(variable);
    }
    command
}

pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("a workspace around the package")
}

/// Runs a command to its end.
#[track_caller]
pub fn finish(command: &mut Command) -> Outcome {
    let command = command.stdin(Stdio::null());
    outcome(command.output().expect("the executable starts"))
}

/// Past the test harness, which would swallow what a passing test prints.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A signal that ends a command shows as a shell would show it.
#[track_caller]
pub fn outcome(output: Output) -> Outcome {
    let by_signal = output.status.signal().map(|signal| 128 + signal);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Outcome {
        status: output.status.code().or(by_signal).expect("an end"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Each of these stands in the text.
#[track_caller]
pub fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

/// A folder of a test's own: for a result, and for subjects that are shell scripts.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    pub fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Bench { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A subject that is a shell script, and where it stands.
    pub fn script(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("an executable script");
        path.into_os_string().into_string().expect("text")
    }

    /// `compare` of a small `int-list`, its result in this folder.
    pub fn compare(&self, arguments: &[&str]) -> Command {
        let mut command = xtask(&["compare", "--scenario", "int-list", "--size", SMALL]);
        command.arg("--out").arg(self.path("result.json"));
        command.args(arguments);
        command
    }

    /// The result that the command wrote.
    #[track_caller]
    pub fn written(&self) -> Value {
        let text = std::fs::read_to_string(self.path("result.json")).expect("a result");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Everything in the folder.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names
            .map(|name| name.into_string().expect("text"))
            .collect();
        names.sort();
        names
    }
}

/// The names that `list` gives of `allocators` or `scenarios`.
#[track_caller]
pub fn listed(kind: &str) -> Vec<String> {
    names(kind, |_| true)
}

/// The names of the allocators that are built by default.
#[track_caller]
pub fn built_by_default() -> Vec<String> {
    names("allocators", |allocator| allocator["on_request"] == false)
}

#[track_caller]
fn names(kind: &str, which: impl Fn(&&Value) -> bool) -> Vec<String> {
    let list = finish(&mut xtask(&["list", "--format", "json"]));
    let list: Value = serde_json::from_str(&list.stdout).expect("JSON");
    let entries = list[kind].as_array().expect("a list").iter();
    let names = entries.filter(which).map(|entry| entry["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}
