//! Which Python a scenario of Python's runs in.

use scenarios::Scenario;
use scenarios::python::Build;

use crate::args::CellOptions;
use crate::names::{ALL, unknown};
use crate::stop::Stop;

/// A scenario, and the Python that it runs in, if it is one of Python's.
#[derive(Clone, Copy)]
pub(crate) struct Experiment<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) python: Option<Build>,
}

/// Each of these scenarios, those of Python's once for each version that the user named.
///
/// # Errors
/// [`Stop::BadInput`] for a version that is not modelled, and for one that no scenario here runs in.
pub(crate) fn experiments<'a>(
    options: &CellOptions,
    scenarios: &[&'a Scenario],
) -> Result<Vec<Experiment<'a>>, Stop> {
    let builds = chosen(&options.pythons)?;
    if let Some(named) = options.pythons.first()
        && !scenarios.iter().any(|scenario| scenario.is_python())
    {
        let names: Vec<&str> = scenarios::PYTHON.iter().map(|s| s.name).collect();
        return Err(Stop::BadInput(format!(
            "--python {named} is for scenarios of Python's, and none of them was chosen: give \
             --scenario one of {}",
            names.join(", ")
        )));
    }
    let experiments = scenarios.iter().flat_map(|&scenario| {
        let pythons = match scenario.is_python() {
            true => builds.iter().copied().map(Some).collect(),
            false => vec![None],
        };
        let of = move |python| Experiment { scenario, python };
        pythons.into_iter().map(of)
    });
    Ok(experiments.collect())
}

/// This scenario, in one Python at most.
///
/// # Errors
/// [`Stop::BadInput`] as of [`experiments`], and for more than one version.
pub(crate) fn experiment<'a>(
    options: &CellOptions,
    scenario: &'a Scenario,
) -> Result<Experiment<'a>, Stop> {
    match experiments(options, &[scenario])?[..] {
        [experiment] => Ok(experiment),
        _ => Err(Stop::BadInput(
            "this command is about one Python at a time: name one with --python".to_owned(),
        )),
    }
}

/// The builds of these names, each once, in the order in which they were named.
fn chosen(names: &[String]) -> Result<Vec<Build>, Stop> {
    let mut builds = Vec::new();
    for name in names {
        let named: Vec<Build> = match name.as_str() {
            ALL => Build::all().collect(),
            name => vec![name.parse().map_err(|_| unknown_python(name))?],
        };
        let new: Vec<Build> = named.into_iter().filter(|b| !builds.contains(b)).collect();
        builds.extend(new);
    }
    match builds.is_empty() {
        true => Ok(vec![Build::newest()]),
        false => Ok(builds),
    }
}

fn unknown_python(name: &str) -> Stop {
    let names: Vec<&str> = Build::all().map(|build| build.version.name).collect();
    let text = unknown("Python", name, &names);
    Stop::BadInput(format!("{text} (each also with -32)"))
}
