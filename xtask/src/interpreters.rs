//! Live CPythons: which there are, which one is meant, and how it is started as a subject.
//!
//! An interpreter is asked for its version before anything is measured. A name of which there is none is refused; of one
//! that cannot be asked, or is too old for the script, the cell is there all the same, and has failed.

mod look;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::Choice;
use scenarios::python::Build;

use crate::knobs::Documented;
use crate::matrix::Subject;
use crate::names::ALL;
use crate::stop::Stop;
use look::{Interpreter, entries, folders, is_there, look, numbers};

/// The name of the catalogue of their knobs.
pub(crate) const CATALOGUE: &str = "cpython";

/// The script that is the subject, whatever the interpreter.
const SCRIPT: &str = concat!(
    include_str!("../../crates/subject/python/scenarios.py"),
    include_str!("../../crates/subject/python/settled.py"),
    include_str!("../../crates/subject/python/account.py"),
    include_str!("../../crates/subject/python/subject.py"),
);

/// No bytecode is written, and neither the user's nor the site's own modules are looked for.
const OPTIONS: [&str; 4] = ["-B", "-s", "-S", "-c"];

/// What an interpreter has in its environment in the lab. Without the first the order of a set has a seed
/// of its own in each process. With the second it finds its own libraries, and not those that a subject of
/// this project is linked with.
const LAB: [(&str, &str); 2] = [("PYTHONHASHSEED", "0"), ("LD_LIBRARY_PATH", "")];

/// What became of a name: an interpreter, or why it is none.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As the user typed it, or the path where it was found.
    pub(crate) name: String,
    pub(crate) looked: Result<Interpreter, String>,
}

impl Named {
    /// Looks which interpreter this name or path is.
    pub(crate) fn look(name: &str) -> Named {
        Named {
            name: name.to_owned(),
            looked: look(name),
        }
    }

    /// What is started and measured. Its cells are called `cpython-3.13.0`, or what the user typed where
    /// that is no interpreter.
    pub(crate) fn subject(&self) -> Subject {
        let script = OPTIONS.into_iter().chain([SCRIPT]);
        let (name, executable) = match &self.looked {
            Ok(Interpreter {
                version,
                flags,
                executable,
                ..
            }) => (format!("cpython-{version}{flags}"), executable.clone()),
            Err(_) => (self.name.clone(), PathBuf::new()),
        };
        Subject {
            chosen: Choice::Interpreter(self.name.clone()),
            name,
            executable,
            arguments: script.map(str::to_owned).collect(),
            python: self.python(),
            variables: LAB
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            unfit: self.looked.as_ref().err().cloned(),
        }
    }

    /// Whether it is new enough for this knob; what is no interpreter fails before it comes to that.
    pub(crate) fn knows(&self, knob: &Documented) -> bool {
        match (&self.looked, &knob.since) {
            (Ok(interpreter), Some(since)) => numbers(&interpreter.version) >= numbers(since),
            _ => true,
        }
    }

    /// Which Python it is, such as `3.13 64-bit`; `None` of what is none.
    pub(crate) fn python(&self) -> Option<String> {
        let Interpreter {
            series: (major, minor),
            bits,
            ..
        } = self.looked.as_ref().ok()?;
        Some(format!("{major}.{minor} {bits}-bit"))
    }

    /// The Python of the model that is nearest to it: of the same width and alignment, and of a version as
    /// near as there is.
    pub(crate) fn build(&self) -> Build {
        let Ok(interpreter) = &self.looked else {
            return Build::newest();
        };
        let bits = interpreter.bits;
        let builds = Build::all().filter_map(|build| {
            let name = build.version.name;
            let build: Build = format!("{name}-{bits}").parse().ok()?;
            let alignment = build.version.alignment.of(build.word);
            let (major, minor) = interpreter.series;
            let numbers = numbers(name);
            let apart = (numbers[0].abs_diff(major), numbers[1].abs_diff(minor));
            Some((
                (apart.0, alignment != interpreter.alignment, apart.1),
                build,
            ))
        });
        let nearest = builds.min_by_key(|(distance, _)| *distance);
        nearest.map_or_else(Build::newest, |(_, build)| build)
    }

    /// A sentence, where it is no build that the model knows.
    pub(crate) fn not_modelled(&self) -> Option<String> {
        let (python, build) = (self.python()?, self.build());
        let Interpreter {
            alignment, flags, ..
        } = self.looked.as_ref().ok()?;
        let own: Option<Build> = python.parse().ok();
        let as_modelled = own.map(|own| own.version.alignment.of(own.word) == *alignment);
        let what = match (flags.as_str(), as_modelled) {
            ("", Some(true)) => return None,
            ("", None) => format!("the model does not know Python {python}"),
            ("", Some(false)) => format!(
                "it aligns blocks to {alignment} bytes, which Python {python} does not as it comes"
            ),
            (flags, _) => format!("the model does not know builds with the flags {flags:?}"),
        };
        let name = self.subject().name;
        Some(format!(
            "{name} is predicted as Python {build}, the nearest: {what}."
        ))
    }
}

/// The interpreters of these names and paths, each once, and for `all` those that are found.
///
/// # Errors
/// [`Stop::BadInput`] where `all` finds none, and for a name of which there is none.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Named>, Stop> {
    let mut chosen: Vec<Named> = Vec::new();
    for name in names {
        if name == ALL {
            let found = found();
            if found.is_empty() {
                return Err(Stop::BadInput(
                    "there is no CPython from 2.7 on, neither on the PATH nor under pyenv: give the \
                     path of one with --interpreter"
                        .to_owned(),
                ));
            }
            chosen.extend(found);
        } else {
            let named = Named::look(name);
            match &named.looked {
                Err(why) if !is_there(name) => return Err(Stop::BadInput(why.clone())),
                _ => chosen.push(named),
            }
        }
    }
    let mut seen = BTreeSet::new();
    chosen.retain(|named| {
        seen.insert(match &named.looked {
            // `python3` and `python3.13` are links to one file.
            Ok(Interpreter { executable, .. }) => executable
                .canonicalize()
                .unwrap_or_else(|_| executable.clone()),
            Err(_) => named.name.clone().into(),
        })
    });
    Ok(chosen)
}

/// Those that can be measured, on the PATH and under pyenv, by version. Of several paths to one
/// executable the first is taken.
pub(crate) fn found() -> Vec<Named> {
    let candidates = folders().into_iter().flat_map(|folder| {
        let programs = entries(&folder);
        programs
            .into_iter()
            .filter(|program| is_named_python(program))
    });
    let executables: BTreeSet<PathBuf> = candidates.filter_map(|p| p.canonicalize().ok()).collect();
    let named = executables.into_iter();
    let named = named.map(|path| Named::look(&path.to_string_lossy()));
    let mut found: Vec<Named> = named.filter(|named| named.looked.is_ok()).collect();
    found.sort_by_key(|named| {
        let version = named.looked.iter().map(|i| numbers(&i.version)).next();
        (version, named.name.clone())
    });
    found
}

/// `python`, `python2.7`, `python3`, `python3.13`; not `python3-config`.
fn is_named_python(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str());
    let version = name.and_then(|name| name.strip_prefix("python"));
    version.is_some_and(|v| v.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_speaks_the_protocol_of_this_driver() {
        let line = format!("\nPROTOCOL = {}\n", model::protocol::VERSION);
        assert!(SCRIPT.contains(&line), "no {line:?} in subject.py");
        let longest = format!(
            "\nLONGEST_LINE = {} * 1024\n",
            model::protocol::LONGEST_LINE / 1024
        );
        assert!(SCRIPT.contains(&longest), "no {longest:?} in subject.py");
    }

    #[test]
    fn versions_are_in_the_order_of_their_numbers() {
        assert!(numbers("3.9.18") < numbers("3.10.1"));
        assert!(numbers("3.13.0rc1") >= numbers("3.13"));
    }

    #[test]
    fn every_scenario_of_the_model_is_one_of_the_script_s() {
        for scenario in scenarios::PYTHON {
            assert!(
                SCRIPT.contains(&format!("\"{}\":", scenario.name)),
                "{}",
                scenario.name
            );
        }
    }
}
