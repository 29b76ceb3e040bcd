//! The subjects that there are, and how they get built.
//!
//! There is no list to keep: each binary `with-NAME` of the subject package is the subject of the
//! allocator NAME, and the first line of its source says what it is. One that requires features
//! which are not on by default is built on request only. A user's own subject is a package
//! anywhere, and every binary of it one.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Message, MetadataCommand, TargetKind};

use crate::names::{ALL, NONE, choose};
use crate::say;
use crate::stop::{Stop, cannot};

const PACKAGE: &str = "afterdrop-subject";
const PREFIX: &str = "with-";
/// The project's own allocator.
pub(crate) const OURS: &str = "pool";

const PLANTED: &str = "planted-fault";
const COUNTING: &str = "count-live";

/// An allocator that there is a subject for.
pub(crate) struct Allocator {
    pub(crate) name: String,
    pub(crate) summary: String,
    /// What the package must be told to build it.
    features: Vec<String>,
    /// Whether it is measured only when it is named.
    pub(crate) on_request: bool,
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
    let by_default = package.features.get("default");
    let is_off = |feature: &String| !by_default.is_some_and(|on| on.contains(feature));
    let mut allocators: Vec<Allocator> = bins
        .filter_map(|target| {
            Some(Allocator {
                name: target.name.strip_prefix(PREFIX)?.to_owned(),
                summary: summary(target.src_path.as_std_path()),
                on_request: target.required_features.iter().any(is_off),
                features: target.required_features.clone(),
            })
        })
        .collect();
    // What everybody has comes first, ours last.
    allocators.sort_by_key(|allocator| match allocator.name.as_str() {
        "system" => (0, String::new()),
        OURS => (2, String::new()),
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

/// The allocators of these names, in the order of the list: where none is named those that are
/// measured by default, every one for `all`, and no one for `none`.
///
/// # Errors
/// [`Stop::BadInput`] for a name that there is no subject for.
pub(crate) fn chosen<'a>(
    names: &[String],
    known: &'a [Allocator],
) -> Result<Vec<&'a Allocator>, Stop> {
    if names.is_empty() {
        return Ok(known
            .iter()
            .filter(|allocator| !allocator.on_request)
            .collect());
    }
    match names {
        [name] if name == NONE => Ok(Vec::new()),
        _ if names.iter().any(|name| name == ALL) => Ok(known.iter().collect()),
        _ => choose("allocator", names, known, |allocator| &allocator.name),
    }
}

/// Builds the subjects of these allocators and returns their executables in the same order.
pub(crate) fn build(allocators: &[&Allocator]) -> Result<Vec<PathBuf>, Stop> {
    let targets = allocators.iter().map(|allocator| allocator.target());
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
    let planted = Target {
        name: PLANTED.to_owned(),
        features: &[],
    };
    let targets = allocators.iter().map(|allocator| allocator.target());
    let targets: Vec<Target> = targets.chain([planted]).collect();
    let mut contestants = build_targets(&targets)?;
    let planted = contestants.pop().expect("the last of the targets");
    Ok(Built {
        contestants,
        planted,
    })
}

/// Builds the subject that counts what a workload holds, which no other command knows either.
pub(crate) fn build_counting() -> Result<PathBuf, Stop> {
    let counting = Target {
        name: COUNTING.to_owned(),
        features: &[],
    };
    Ok(build_targets(&[counting])?.remove(0))
}

/// A binary of the subjects' package, and the features that it needs beyond the default ones.
struct Target<'a> {
    name: String,
    features: &'a [String],
}

impl Allocator {
    fn target(&self) -> Target<'_> {
        Target {
            name: format!("{PREFIX}{}", self.name),
            features: &self.features,
        }
    }
}

fn build_targets(targets: &[Target]) -> Result<Vec<PathBuf>, Stop> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let mut arguments = vec!["--package".to_owned(), PACKAGE.to_owned()];
    for Target { name, features } in targets {
        arguments.extend(["--bin".to_owned(), name.clone()]);
        let features = features.iter();
        arguments.extend(features.flat_map(|feature| ["--features".to_owned(), feature.clone()]));
    }
    let built = executables(Path::new("."), &arguments)?;
    let executable = |target: &Target| {
        let found = built.iter().find(|(name, _)| *name == target.name);
        found
            .map(|(_, executable)| executable.clone())
            .ok_or_else(|| Stop::Failed(format!("cargo built no {}", target.name)))
    };
    targets.iter().map(executable).collect()
}

/// Builds the package of the user's own that stands in this folder and returns the executables of
/// its binaries. It is built where it stands, by the settings that cargo finds there.
pub(crate) fn build_package(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let built = executables(folder, &["--bins".to_owned()])?;
    if built.is_empty() {
        return Err(Stop::Failed(cannot("measure", folder, &"it has no binary")));
    }
    Ok(built
        .into_iter()
        .map(|(_, executable)| executable)
        .collect())
}

/// Has cargo build in this folder as users build programs, optimised; the name and executable of
/// each binary. Cargo shows its progress on a terminal.
fn executables(folder: &Path, arguments: &[String]) -> Result<Vec<(String, PathBuf)>, Stop> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(folder)
        .args(["build", "--release"])
        .args(arguments);
    command.arg("--message-format=json-render-diagnostics");
    if say::is_quiet() || !io::stderr().is_terminal() {
        command.arg("--quiet"); // where nobody reads any more, cargo's progress would be its end
        say::aside(&"building the subjects");
    }
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| {
        Stop::Failed(format!(
            "cannot run cargo, which has to be on the PATH: {error}"
        ))
    })?;
    if !output.status.success() {
        return Err(not_built(folder));
    }
    let built = Message::parse_stream(&output.stdout[..]).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => {
            let executable = artifact.executable?.into_std_path_buf();
            Some((artifact.target.name, executable))
        }
        _ => None,
    });
    Ok(built.collect())
}

/// Cargo has said why. What it cannot know is that scripts which build C libraries take a path to end at a space.
fn not_built(folder: &Path) -> Stop {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let place = std::path::absolute(target.as_deref().unwrap_or(folder)).unwrap_or_default();
    let way_out = match place.to_string_lossy().contains(' ') {
        true => {
            ": C libraries such as jemalloc do not build below a path with a space in it; set CARGO_TARGET_DIR to another"
        }
        false => "",
    };
    Stop::Failed(format!(
        "the subjects could not be built (see above){way_out}"
    ))
}
