//! The catalogue of knobs: a file for each allocator, `crates/subject/knobs/NAME.toml`.

use std::fs;
use std::path::Path;

pub(crate) use model::DocumentedKnob as Documented;
use model::{AfterDrop, Catalogue, Conditions, Knob};
use scenarios::Scenario;

use crate::names::{self, ALL};
use crate::say;
use crate::stop::{Stop, cannot};

/// The knobs of this allocator; an allocator without a file has none.
///
/// # Errors
/// [`Stop::Failed`] for a file that cannot be read or understood.
pub(crate) fn catalogue(folder: &Path, allocator: &str) -> Result<Vec<Documented>, Stop> {
    let path = folder.join(format!("{allocator}.toml"));
    if !path.exists() {
        return Ok(Vec::new());
    }
    let fault = |why: &dyn std::fmt::Display| Stop::Failed(cannot("read", &path, why));
    let text = fs::read_to_string(&path).map_err(|error| fault(&error))?;
    let catalogue: Catalogue = toml::from_str(&text).map_err(|error| fault(&error.message()))?;
    Ok(catalogue.knob)
}

/// The catalogue of habits that only a program in Python can have.
const PYTHON: &str = "python";

/// The knobs of this allocator, and for scenarios of Python's what a program in Python can do.
///
/// # Errors
/// As of [`catalogue`].
pub(crate) fn with_python(folder: &Path, allocator: &str) -> Result<Vec<Documented>, Stop> {
    let mut knobs = catalogue(folder, allocator)?;
    knobs.extend(of_python(folder)?);
    Ok(knobs)
}

/// What a program in Python can do.
///
/// # Errors
/// As of [`catalogue`].
pub(crate) fn of_python(folder: &Path) -> Result<Vec<Documented>, Stop> {
    catalogue(folder, PYTHON)
}

/// Whether this knob can be turned on this scenario: one without a collector cannot ask it.
pub(crate) fn fits(knob: &Knob, scenario: &Scenario) -> bool {
    knob.after_drop != AfterDrop::Collect || scenario.is_python()
}

/// Says of each of these knobs that needs it that the lab does not show what it gives back.
pub(crate) fn say_what_the_lab_cannot_show(
    conditions: Conditions,
    turned: &[Knob],
    catalogue: &[Documented],
) {
    let needs_real_time = |knob: &&Documented| knob.real_time && turned.contains(&knob.knob());
    if conditions == Conditions::Lab {
        for knob in catalogue.iter().filter(needs_real_time) {
            say::aside(&format_args!(
                "{} works by a thread that the lab clock does not wake: --conditions host shows \
                 what it gives back",
                knob.name
            ));
        }
    }
}

/// The knobs that the user chose, out of one allocator's. `default` stands for nothing turned,
/// `all` for that and every knob of the catalogue, `NAME=VALUE` for an environment variable.
pub(crate) fn chosen(chosen: &[String], catalogue: &[Documented]) -> Vec<Knob> {
    if chosen.is_empty() {
        return vec![Knob::default_settings()];
    }
    let known = || catalogue.iter().map(Documented::knob);
    let of = |choice: &String| -> Vec<Knob> {
        match (choice.as_str(), choice.split_once('=')) {
            (Knob::DEFAULT, _) => vec![Knob::default_settings()],
            (ALL, _) => [Knob::default_settings()]
                .into_iter()
                .chain(known())
                .collect(),
            (_, Some((name, value))) => vec![Knob::variable(name, value)],
            (name, None) => known().filter(|knob| knob.name == name).collect(),
        }
    };
    let mut knobs: Vec<Knob> = Vec::new();
    for knob in chosen.iter().flat_map(of) {
        if !knobs.contains(&knob) {
            knobs.push(knob);
        }
    }
    knobs
}

/// Refuses a choice that no catalogue knows.
///
/// # Errors
/// [`Stop::BadInput`] with the names that there are.
pub(crate) fn check(chosen: &[String], catalogues: &[Vec<Documented>]) -> Result<(), Stop> {
    let mut valid = vec![Knob::DEFAULT, ALL];
    for knob in catalogues.iter().flatten() {
        if !valid.contains(&knob.name.as_str()) {
            valid.push(&knob.name);
        }
    }
    let is_variable = |choice: &str| {
        choice
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty())
    };
    let known = |choice: &&String| is_variable(choice) || valid.contains(&choice.as_str());
    if let Some(wrong) = chosen.iter().find(|choice| !known(choice)) {
        return Err(Stop::BadInput(names::unknown("knob", wrong, &valid)));
    }
    // The dynamic linker would leave out what it does not find, and the cell would be another's.
    let preloaded = chosen.iter().filter_map(|c| c.strip_prefix("LD_PRELOAD="));
    let mut files = preloaded.flat_map(|files| files.split([':', ' ']));
    match files.find(|file| file.contains('/') && !Path::new(file).is_file()) {
        Some(file) => {
            let why = "there is no such file";
            Err(Stop::BadInput(cannot("preload", Path::new(file), &why)))
        }
        None => Ok(()),
    }
}
