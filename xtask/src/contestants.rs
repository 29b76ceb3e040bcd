//! Whom to measure: allocators by name, executables of the user's own, and the knobs to turn.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use driver::Schedule;
use model::{AfterDrop, Knob, Standing};
use scenarios::Scenario;
use scenarios::python::Build;

use crate::args::{CellOptions, ContestantOptions};
use crate::interpreters::Named;
use crate::matrix::{Planned, Subject};
use crate::python::Experiment;
use crate::stop::{Stop, cannot};
use crate::subjects::Workspace;
use crate::{interpreters, knobs, say, subjects};

/// What makes a folder a package.
const MANIFEST: &str = "Cargo.toml";

/// Whom the user chose to measure, before anything is built.
pub(crate) struct Contestants<'a> {
    allocators: Vec<&'a subjects::Allocator>,
    catalogues: Vec<Vec<knobs::Documented>>,
    interpreters: Vec<Named>,
    options: &'a ContestantOptions,
}

/// One executable with one setting, to be timed.
pub(crate) struct Racer {
    pub(crate) allocator: String,
    pub(crate) executable: PathBuf,
    pub(crate) knob: Knob,
}

impl Racer {
    /// The project's own is nobody's peer.
    pub(crate) fn standing(&self) -> Standing {
        match self.allocator == subjects::OURS {
            true => Standing::Ours,
            false => Standing::Peer,
        }
    }
}

/// One subject to measure, and the knobs to turn on it.
pub(crate) struct Contestant {
    subject: Subject,
    knobs: Vec<Knob>,
    /// What it runs scenarios of Python's in, where that is itself.
    live: Option<Live>,
}

/// A Python of its own.
struct Live {
    /// The one of the table that is nearest to it.
    build: Build,
    /// Knobs that it is too old for: their names, and the versions that brought them.
    too_new: Vec<(String, String)>,
}

impl<'a> Contestants<'a> {
    /// # Errors
    /// [`Stop::BadInput`] for a name that nobody has and for a file that cannot be run.
    pub(crate) fn choose(
        options: &'a ContestantOptions,
        interpreters: &[String],
        workspace: &'a Workspace,
    ) -> Result<Self, Stop> {
        let known = &workspace.allocators;
        let allocators = subjects::chosen(&options.allocators, known)?;
        if allocators.is_empty() && options.subjects.is_empty() && interpreters.is_empty() {
            return Err(Stop::BadInput(
                "there is nothing to measure: --allocator none is for what --subject or --interpreter \
                 names"
                    .to_owned(),
            ));
        }
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
        let named = allocators.iter().map(|allocator| allocator.name.as_str());
        let live = (!interpreters.is_empty()).then_some(interpreters::CATALOGUE);
        let catalogues = named
            .chain(live)
            .map(|name| knobs::with_python(&workspace.knobs, name))
            .collect::<Result<Vec<_>, _>>()?;
        knobs::check(&options.knobs, &catalogues)?;
        Ok(Contestants {
            allocators,
            catalogues,
            interpreters: interpreters::chosen(interpreters)?,
            options,
        })
    }

    /// The live interpreters among them.
    pub(crate) fn interpreters(&self) -> &[Named] {
        &self.interpreters
    }

    /// Says which of the chosen knobs show nothing under the lab clock.
    pub(crate) fn say_what_the_lab_cannot_show(&self, cells: &CellOptions) {
        for catalogue in &self.catalogues {
            let turned = knobs::chosen(&self.options.knobs, catalogue);
            knobs::say_what_the_lab_cannot_show(cells.conditions.into(), &turned, catalogue);
        }
    }

    /// Says which settings of the contestants' the environment turns, which is theirs, too.
    pub(crate) fn say_what_the_environment_turns(&self) {
        let knobs = self.catalogues.iter().flatten();
        let variables = knobs.flat_map(|knob| knob.knob().variables);
        let mut names: Vec<String> = variables.map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        for name in names.iter().filter(|name| std::env::var_os(name).is_some()) {
            say::fault(&format_args!(
                "{name} is set here: all but knobs that set it are measured with it"
            ));
        }
    }

    /// Says where an allocator, as it is built here, reads its setting from another variable than the user named.
    fn say_what_nobody_reads(&self) {
        let named = self.options.knobs.iter();
        let named = named.filter_map(|knob| Some(knob.split_once('=')?.0));
        for name in named {
            let allocators = self.allocators.iter().zip(&self.catalogues);
            for (allocator, catalogue) in allocators {
                let turned = catalogue.iter().flat_map(|knob| knob.knob().variables);
                let mut read = turned.map(|(variable, _)| variable);
                let with_prefix = |variable: &String| variable.ends_with(&format!("_{name}"));
                if let Some(variable) = read.find(with_prefix) {
                    say::fault(&format_args!(
                        "{} reads {variable} here, and not {name}",
                        allocator.name
                    ));
                }
            }
        }
    }

    /// Says whom the user named in vain: allocators with none of the knobs named.
    fn say_who_is_left_out(&self) {
        let is_named = |name: &String| self.options.allocators.contains(name);
        let allocators = self.allocators.iter().zip(&self.catalogues);
        for (allocator, catalogue) in allocators.filter(|(a, _)| is_named(&a.name)) {
            if knobs::chosen(&self.options.knobs, catalogue).is_empty() {
                say::fault(&format_args!(
                    "{} is left out: it has none of the knobs named",
                    allocator.name
                ));
            }
        }
    }

    /// The allocators' executables, built, the user's own, and the interpreters.
    pub(crate) fn build(&self) -> Result<Vec<Contestant>, Stop> {
        self.say_who_is_left_out();
        self.say_what_nobody_reads();
        let executables = subjects::build(&self.allocators)?;
        let named = self
            .allocators
            .iter()
            .zip(&self.catalogues)
            .zip(executables);
        let ours = named.map(|((allocator, catalogue), executable)| Contestant {
            subject: Subject::of_allocator(allocator.name.clone(), executable),
            knobs: knobs::chosen(&self.options.knobs, catalogue),
            live: None,
        });
        let theirs = theirs(&self.options.subjects)?
            .into_iter()
            .map(|(path, executable)| Contestant {
                subject: Subject::of_the_user(path, file_name(&executable), executable),
                knobs: knobs::chosen(&self.options.knobs, &[]),
                live: None,
            });
        // The last of the catalogues is theirs, if there are any.
        let catalogue = self.catalogues.last().map_or(&[][..], Vec::as_slice);
        let interpreters = self.interpreters.iter();
        let live = interpreters.map(|i| Contestant::live(i, &self.options.knobs, catalogue));
        Ok(ours.chain(theirs).chain(live).collect())
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

    /// # Errors
    /// [`Stop::BadInput`] for a knob that can be turned on none of these scenarios, by its name.
    pub(crate) fn refuse_what_fits_none(&self, scenarios: &[&Scenario]) -> Result<(), Stop> {
        let named = |knob: &&knobs::Documented| self.options.knobs.contains(&knob.name);
        let mut named = self.catalogues.iter().flatten().filter(named);
        let fits = |knob: &knobs::Documented| {
            let knob = knob.knob();
            scenarios
                .iter()
                .any(|scenario| knobs::fits(&knob, scenario))
        };
        match named.find(|knob| !fits(knob)) {
            Some(knob) => Err(Stop::BadInput(format!(
                "cannot turn {}: none of the chosen scenarios has a garbage collector, only those \
                 of Python's have",
                knob.name
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
                allocator: contestant.subject.name.clone(),
                executable: contestant.subject.executable.clone(),
                knob,
            })
        });
        Ok(racers.collect())
    }
}

impl Contestant {
    /// A live interpreter, with these of its catalogue's knobs.
    pub(crate) fn live(named: &Named, chosen: &[String], catalogue: &[knobs::Documented]) -> Self {
        let too_new = catalogue.iter().filter(|knob| !named.knows(knob));
        let too_new = too_new.map(|knob| {
            let since = knob.since.clone().unwrap_or_default();
            (knob.name.clone(), since)
        });
        let too_new: Vec<(String, String)> = too_new.collect();
        let mut knobs = knobs::chosen(chosen, catalogue);
        let is_named = |knob: &Knob| chosen.contains(&knob.name);
        knobs.retain(|knob| is_named(knob) || too_new.iter().all(|(name, _)| *name != knob.name));
        Contestant {
            subject: named.subject(),
            knobs,
            live: Some(Live {
                build: named.build(),
                too_new,
            }),
        }
    }

    /// A cell for each of its knobs; none where the experiment is about others.
    pub(crate) fn plans(
        &self,
        cells: &CellOptions,
        experiment: Experiment,
        schedule: &Schedule,
    ) -> Vec<Planned> {
        let is_about_it = match &self.live {
            None => experiment.modelled,
            Some(live) => experiment.python == Some(live.build),
        };
        let fitting = self.knobs.iter().filter(|_| is_about_it);
        let fitting = fitting.filter(|knob| knobs::fits(knob, experiment.scenario));
        let planned = fitting.map(|knob| {
            let too_new = self.live.iter().flat_map(|live| &live.too_new);
            let mut since = too_new.filter(|(name, _)| *name == knob.name);
            let mut subject = self.subject.clone();
            if let (None, Some((name, since))) = (&subject.unfit, since.next()) {
                subject.unfit = Some(format!("{name} can be turned from CPython {since} on"));
            }
            Planned::new(cells, experiment, &subject, knob.clone(), schedule.clone())
        });
        planned.collect()
    }
}

/// The user's own executables, those of packages built, each after the path that it came by.
fn theirs(subjects: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, Stop> {
    let mut all = Vec::new();
    for path in subjects {
        let chosen = path.to_string_lossy();
        // A bare name would be looked for along PATH.
        let path = std::path::absolute(path).unwrap_or(path.clone());
        let executables = match path.is_dir() {
            true => subjects::build_package(&path)?,
            false => vec![path],
        };
        let executables = executables.into_iter();
        all.extend(executables.map(|executable| (chosen.to_string(), executable)));
    }
    Ok(all)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
