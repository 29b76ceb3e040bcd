//! Whom to measure: allocators by name, executables of the user's own, and the knobs to turn.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use driver::Schedule;
use model::{AfterDrop, Knob};

use crate::args::{CellOptions, ContestantOptions};
use crate::matrix::Planned;
use crate::python::Experiment;
use crate::stop::{Stop, cannot};
use crate::subjects::Workspace;
use crate::{knobs, subjects};

/// What makes a folder a package.
const MANIFEST: &str = "Cargo.toml";

/// Whom the user chose to measure, before anything is built.
pub(crate) struct Contestants<'a> {
    allocators: Vec<&'a subjects::Allocator>,
    catalogues: Vec<Vec<knobs::Documented>>,
    options: &'a ContestantOptions,
}

/// One executable with one setting, to be timed.
pub(crate) struct Racer {
    pub(crate) allocator: String,
    pub(crate) executable: PathBuf,
    pub(crate) knob: Knob,
}

/// One executable to measure, and the knobs to turn on it.
pub(crate) struct Contestant {
    allocator: String,
    executable: PathBuf,
    knobs: Vec<Knob>,
}

impl<'a> Contestants<'a> {
    /// # Errors
    /// [`Stop::BadInput`] for a name that nobody has and for a file that cannot be run.
    pub(crate) fn choose(
        options: &'a ContestantOptions,
        workspace: &'a Workspace,
    ) -> Result<Self, Stop> {
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
            .map(|allocator| knobs::with_python(&workspace.knobs, &allocator.name))
            .collect::<Result<Vec<_>, _>>()?;
        knobs::check(&options.knobs, &catalogues)?;
        Ok(Contestants {
            allocators,
            catalogues,
            options,
        })
    }

    /// Says which of the chosen knobs show nothing under the lab clock.
    pub(crate) fn say_what_the_lab_cannot_show(&self, cells: &CellOptions) {
        for catalogue in &self.catalogues {
            let turned = knobs::chosen(&self.options.knobs, catalogue);
            knobs::say_what_the_lab_cannot_show(cells.conditions.into(), &turned, catalogue);
        }
    }

    /// The allocators' executables, built, and the user's own.
    pub(crate) fn build(&self) -> Result<Vec<Contestant>, Stop> {
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

    /// What a program does after a drop is no setting of an allocator, and would not be timed.
    ///
    /// # Errors
    /// [`Stop::BadInput`] for a knob of that kind, by its name.
    pub(crate) fn refuse_habits(&self) -> Result<(), Stop> {
        let known = self.catalogues.iter().flatten();
        let mut habits = known.filter(|k| k.knob().after_drop != AfterDrop::Nothing);
        match habits.find(|habit| self.options.knobs.contains(&habit.name)) {
            Some(habit) => Err(Stop::BadInput(format!(
                "cannot time {}: it is a habit of the program's and no setting of the allocator's",
                habit.name
            ))),
            None => Ok(()),
        }
    }

    /// Everybody who is to be timed, built. Where the user names no knob, those settings race
    /// beside the default ones that the catalogue marks.
    pub(crate) fn build_racers(&self) -> Result<Vec<Racer>, Stop> {
        let contestants = self.build()?;
        let catalogues = self.catalogues.iter().map(Vec::as_slice);
        let catalogues = catalogues.chain(std::iter::repeat(&[][..])); // of the user's own
        let racers = contestants.into_iter().zip(catalogues);
        let racers = racers.flat_map(|(contestant, catalogue)| {
            let mut knobs = contestant.knobs;
            if self.options.knobs.is_empty() {
                let benched = catalogue.iter().filter(|knob| knob.benched);
                knobs.extend(benched.map(knobs::Documented::knob));
            }
            knobs.retain(|knob| knob.after_drop == AfterDrop::Nothing); // of `all`
            knobs.into_iter().map(move |knob| Racer {
                allocator: contestant.allocator.clone(),
                executable: contestant.executable.clone(),
                knob,
            })
        });
        Ok(racers.collect())
    }
}

impl Contestant {
    /// A cell for each of its knobs.
    pub(crate) fn plans(
        &self,
        cells: &CellOptions,
        experiment: Experiment,
        schedule: &Schedule,
    ) -> Vec<Planned> {
        let fitting = self.knobs.iter();
        let fitting = fitting.filter(|knob| knobs::fits(knob, experiment.scenario));
        let planned = fitting.map(|knob| {
            Planned::new(
                cells,
                experiment,
                &self.allocator,
                &self.executable,
                knob.clone(),
                schedule.clone(),
            )
        });
        planned.collect()
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
