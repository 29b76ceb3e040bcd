//! `cargo xtask compare`: measure every chosen cell, judge it, show the result and keep it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use driver::Interrupt;
use model::{Comparison, Host, Knob, SCHEMA_VERSION};
use scenarios::Scenario;

use crate::args::{CompareOptions, DEFAULT_OUT, Format};
use crate::matrix::{self, Planned};
use crate::names::{self, choose};
use crate::output::Output;
use crate::stop::{Stop, cannot};
use crate::subjects::Workspace;
use crate::{command_line, knobs, say, subjects};

pub(crate) fn compare(options: &CompareOptions) -> Result<(), Stop> {
    // Everything that can be wrong with the input is found before anything is built or spawned.
    let workspace = subjects::workspace()?;
    let contestants = Contestants::choose(options, &workspace)?;
    let scenarios = chosen_scenarios(&options.scenarios)?;
    let host = probe::host().map_err(|error| Stop::Failed(error.to_string()))?;
    matrix::refuse_what_does_not_fit(&options.cells, &scenarios, &host)?;
    let output = Output::prepare(&match &options.out {
        Some(path) => path.clone(),
        None => workspace.root.join(DEFAULT_OUT),
    })?;

    let contestants = contestants.build()?;
    let planned: Vec<Planned> = scenarios
        .iter()
        .flat_map(|scenario| {
            contestants.iter().flat_map(|contestant| {
                let knobs = contestant.knobs.iter().cloned();
                knobs.map(|knob| contestant.plan(options, scenario, knob))
            })
        })
        .collect();
    let interrupt = Interrupt::on_signals().map_err(|error| Stop::Failed(error.to_string()))?;
    let measured = matrix::measure(&planned, &interrupt);
    let comparison = Comparison {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(),
        host: Host {
            lab_conditions: measured.lab_conditions(),
            ..host
        },
        cells: measured.cells,
        interrupted: interrupt.signal().is_some(),
        timings: measured.timings,
    };

    let json = serde_json::to_string_pretty(&comparison).expect("a document of plain data") + "\n";
    let written = output.write(&json)?;
    say::result(&match options.format {
        Format::Table => report::terminal(&comparison),
        Format::Markdown => report::markdown(&comparison),
        Format::Json => json,
    })?;
    if options.timings {
        say::aside(&report::timings(&comparison.timings));
    }
    say::aside(&format_args!("full result: {}", written.display()));
    match interrupt.signal() {
        Some(signal) => Err(Stop::Interrupted(signal)),
        None => matrix::all_measured(&comparison.cells),
    }
}

/// The core ones where none is named, every one for `all`.
fn chosen_scenarios(chosen: &[String]) -> Result<Vec<&'static Scenario>, Stop> {
    if chosen.iter().any(|name| name == names::ALL) {
        return Ok(scenarios::ALL.iter().collect());
    }
    match chosen {
        [] => Ok(scenarios::CORE.iter().collect()),
        _ => choose("scenario", chosen, scenarios::ALL, |s| s.name),
    }
}

/// What makes a folder a package.
const MANIFEST: &str = "Cargo.toml";

/// Whom the user chose to measure, before anything is built.
struct Contestants<'a> {
    allocators: Vec<&'a subjects::Allocator>,
    catalogues: Vec<Vec<knobs::Documented>>,
    options: &'a CompareOptions,
}

/// One executable to measure, and the knobs to turn on it.
struct Contestant {
    allocator: String,
    executable: PathBuf,
    knobs: Vec<Knob>,
}

impl<'a> Contestants<'a> {
    fn choose(options: &'a CompareOptions, workspace: &'a Workspace) -> Result<Self, Stop> {
        let known = &workspace.allocators;
        let allocators = subjects::chosen(&options.allocators, known)?;
        for path in &options.subjects {
            let why = match path.metadata() {
                Err(_) => "there is no such file",
                Ok(file) if file.is_dir() && path.join(MANIFEST).is_file() => continue,
                Ok(file) if file.is_dir() => "it is a folder without a Cargo.toml",
                Ok(file) if !file.is_file() => "it is no ordinary file",
                Ok(file) if file.permissions().mode() & 0o111 == 0 => "it is not executable",
                Ok(_) => continue,
            };
            return Err(Stop::BadInput(cannot("run", path, &why)));
        }
        let catalogues = allocators
            .iter()
            .map(|allocator| knobs::catalogue(&workspace.knobs, &allocator.name))
            .collect::<Result<Vec<_>, _>>()?;
        knobs::check(&options.knobs, &catalogues)?;
        Ok(Contestants {
            allocators,
            catalogues,
            options,
        })
    }

    /// The allocators' executables, built, and the user's own.
    fn build(&self) -> Result<Vec<Contestant>, Stop> {
        let executables = subjects::build(&self.allocators)?;
        let named = self
            .allocators
            .iter()
            .zip(&self.catalogues)
            .zip(executables);
        let ours = named.map(|((allocator, catalogue), executable)| Contestant {
            allocator: allocator.name.clone(),
            executable,
            knobs: knobs::chosen(&self.options.knobs, catalogue),
        });
        let theirs = theirs(&self.options.subjects)?
            .into_iter()
            .map(|executable| Contestant {
                allocator: file_name(&executable),
                executable,
                knobs: knobs::chosen(&self.options.knobs, &[]),
            });
        Ok(ours.chain(theirs).collect())
    }
}

impl Contestant {
    fn plan(&self, options: &CompareOptions, scenario: &Scenario, knob: Knob) -> Planned {
        Planned::new(
            &options.cells,
            scenario,
            &self.allocator,
            &self.executable,
            knob,
        )
    }
}

/// The user's own executables, those of packages built.
fn theirs(subjects: &[PathBuf]) -> Result<Vec<PathBuf>, Stop> {
    let mut executables = Vec::new();
    for path in subjects {
        // A bare name would be looked for along PATH.
        let path = std::path::absolute(path).unwrap_or(path.clone());
        match path.is_dir() {
            true => executables.extend(subjects::build_package(&path)?),
            false => executables.push(path),
        }
    }
    Ok(executables)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
