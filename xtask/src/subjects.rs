//! The subjects that there are, and how they get built.
//!
//! There is no list to keep: each binary `with-NAME` of the subject package is the subject of the
//! allocator NAME, and the first line of its source says what it is.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Message, MetadataCommand, TargetKind};

use crate::say;
use crate::stop::Stop;

const PACKAGE: &str = "afterdrop-subject";
const PREFIX: &str = "with-";
const PLANTED: &str = "planted-fault";

/// An allocator that there is a subject for.
pub(crate) struct Allocator {
    pub(crate) name: String,
    pub(crate) summary: String,
}

/// Where cargo finds everything.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The folder of the knobs' catalogue.
    pub(crate) knobs: PathBuf,
    pub(crate) allocators: Vec<Allocator>,
}

/// Asks cargo which subjects there are.
pub(crate) fn workspace() -> Result<Workspace, Stop> {
    let metadata = MetadataCommand::new().no_deps().exec();
    let metadata = metadata.map_err(|error| Stop::Failed(format!("cargo metadata: {error}")))?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == PACKAGE)
        .ok_or_else(|| Stop::Failed(format!("there is no package {PACKAGE} in this workspace")))?;
    let bins = package
        .targets
        .iter()
        .filter(|target| target.kind.contains(&TargetKind::Bin));
    let mut allocators: Vec<Allocator> = bins
        .filter_map(|target| {
            Some(Allocator {
                name: target.name.strip_prefix(PREFIX)?.to_owned(),
                summary: summary(target.src_path.as_std_path()),
            })
        })
        .collect();
    // What everybody has comes first, ours last.
    allocators.sort_by_key(|allocator| match allocator.name.as_str() {
        "system" => (0, String::new()),
        "pool" => (2, String::new()),
        other => (1, other.to_owned()),
    });
    let knobs = package.manifest_path.with_file_name("knobs");
    Ok(Workspace {
        knobs: knobs.into_std_path_buf(),
        root: metadata.workspace_root.into_std_path_buf(),
        allocators,
    })
}

/// The first line of a source file's own documentation.
fn summary(source: &Path) -> String {
    let text = fs::read_to_string(source).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("//!").trim().to_owned()
}

/// Builds the subjects of these allocators as users build programs, optimised, and returns their
/// executables in the same order. Cargo shows its progress on a terminal.
pub(crate) fn build(allocators: &[&Allocator]) -> Result<Vec<PathBuf>, Stop> {
    let targets = allocators.iter().map(|a| format!("{PREFIX}{}", a.name));
    build_targets(&targets.collect::<Vec<_>>())
}

/// What the controls are tried on.
pub(crate) struct Built {
    /// The subjects of the allocators, in the order in which they were asked for.
    pub(crate) contestants: Vec<PathBuf>,
    /// The subject with planted faults, which no other command knows.
    pub(crate) planted: PathBuf,
}

/// Builds the subjects of these allocators and the one with planted faults.
pub(crate) fn build_with_planted(allocators: &[&Allocator]) -> Result<Built, Stop> {
    let targets = allocators.iter().map(|a| format!("{PREFIX}{}", a.name));
    let targets: Vec<String> = targets.chain([PLANTED.to_owned()]).collect();
    let mut contestants = build_targets(&targets)?;
    let planted = contestants.pop().expect("the last of the targets");
    Ok(Built {
        contestants,
        planted,
    })
}

fn build_targets(targets: &[String]) -> Result<Vec<PathBuf>, Stop> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", PACKAGE]);
    command.arg("--message-format=json-render-diagnostics");
    if !io::stderr().is_terminal() {
        command.arg("--quiet"); // where nobody reads any more, cargo's progress would be its end
        say::aside(&"building the subjects");
    }
    for target in targets {
        command.args(["--bin", target]);
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Stop::Failed(format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        return Err(Stop::Failed(
            "the subjects could not be built (see above)".to_owned(),
        ));
    }
    let built: Vec<_> = Message::parse_stream(&output.stdout[..])
        .filter_map(|message| match message {
            Ok(Message::CompilerArtifact(artifact)) => {
                Some((artifact.target.name, artifact.executable?))
            }
            _ => None,
        })
        .collect();
    let executable = |target: &String| {
        let found = built.iter().find(|(name, _)| name == target);
        found
            .map(|(_, executable)| executable.clone().into_std_path_buf())
            .ok_or_else(|| Stop::Failed(format!("cargo built no {target}")))
    };
    targets.iter().map(executable).collect()
}
