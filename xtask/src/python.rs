//! Which Python a scenario of Python's runs in: one of the model's, or a live one that stands beside it.

use scenarios::Scenario;
use scenarios::python::Build;

use crate::args::CellOptions;
use crate::interpreters::Named;
use crate::names::{ALL, choose, unknown};
use crate::stop::Stop;

/// A scenario, and the Python that it runs in, if it is one of Python's.
#[derive(Clone, Copy)]
pub(crate) struct Experiment<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) python: Option<Build>,
    /// Whether the model is wanted of it; else it is there for the sake of a live interpreter.
    pub(crate) modelled: bool,
}

/// Each of these scenarios, those of Python's once for each version that the user named, or where none
/// was named for those of the live interpreters; and once for each of these.
///
/// # Errors
/// [`Stop::BadInput`] for a version that is not modelled, and for one that no scenario here runs in.
pub(crate) fn experiments<'a>(
    options: &CellOptions,
    scenarios: &[&'a Scenario],
    live: &[Named],
) -> Result<Vec<Experiment<'a>>, Stop> {
    let live = each_once(live.iter().map(Named::build));
    let modelled = match (&options.pythons[..], &live[..]) {
        ([], [_, ..]) => live.clone(),
        (named, _) => chosen(named)?,
    };
    let builds = each_once(modelled.iter().chain(&live).copied());
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
    refuse_what_is_no_int(options, scenarios, &modelled)?;
    let experiments = scenarios.iter().flat_map(|&scenario| {
        let pythons = match scenario.is_python() {
            true => builds.iter().copied().map(Some).collect(),
            false => vec![None],
        };
        let modelled = &modelled;
        let of = move |python: Option<Build>| Experiment {
            scenario,
            python,
            modelled: python.is_none_or(|build| modelled.contains(&build)),
        };
        pythons.into_iter().map(of)
    });
    Ok(experiments.collect())
}

/// What these builds count to as they build the object must be an int in each.
///
/// # Errors
/// [`Stop::BadInput`] for a size that is none in one of them.
pub(crate) fn refuse_what_is_no_int(
    options: &CellOptions,
    scenarios: &[&Scenario],
    builds: &[Build],
) -> Result<(), Stop> {
    for scenario in scenarios.iter().filter(|scenario| scenario.is_python()) {
        let size = options.size_of(scenario);
        if let Some(build) = builds.iter().find(|build| !build.has_int(size)) {
            return Err(Stop::BadInput(format!(
                "{} of size {size} counts to what is no int in Python {build}: choose a smaller --size \
                 or another --python",
                scenario.name
            )));
        }
    }
    Ok(())
}

/// This scenario, in one Python at most.
///
/// # Errors
/// [`Stop::BadInput`] as of [`experiments`], and for more than one version.
pub(crate) fn experiment<'a>(
    options: &CellOptions,
    scenario: &'a Scenario,
    live: &[Named],
) -> Result<Experiment<'a>, Stop> {
    match experiments(options, &[scenario], live)?[..] {
        [experiment] => Ok(experiment),
        _ => Err(Stop::BadInput(
            "this command is about one Python at a time: name one with --python".to_owned(),
        )),
    }
}

/// The scenarios of Python's of these names, all of them where none is named.
///
/// # Errors
/// [`Stop::BadInput`] for another name, with those that an interpreter can run.
pub(crate) fn chosen_scenarios(names: &[String]) -> Result<Vec<&'static Scenario>, Stop> {
    if names.iter().any(|name| name == ALL) {
        return Ok(scenarios::PYTHON.iter().collect());
    }
    let foreign = |name: &&String| scenarios::find(name).is_some_and(|s| !s.is_python());
    match names.iter().find(foreign) {
        Some(name) => {
            let names: Vec<&str> = scenarios::PYTHON.iter().map(|s| s.name).collect();
            Err(Stop::BadInput(format!(
                "{name} does not run in an interpreter: give --scenario one of {}",
                names.join(", ")
            )))
        }
        None => choose("scenario", names, scenarios::PYTHON, |s| s.name),
    }
}

/// The builds of these names, each once, in the order in which they were named.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Build>, Stop> {
    let mut builds = Vec::new();
    for name in names {
        let named: Vec<Build> = match name.as_str() {
            ALL => Build::all().collect(),
            name => vec![name.parse().map_err(|_| unknown_python(name))?],
        };
        builds.extend(named);
    }
    match builds.is_empty() {
        true => Ok(vec![Build::newest()]),
        false => Ok(each_once(builds)),
    }
}

pub(crate) fn each_once(builds: impl IntoIterator<Item = Build>) -> Vec<Build> {
    let mut once = Vec::new();
    for build in builds {
        if !once.contains(&build) {
            once.push(build);
        }
    }
    once
}

fn unknown_python(name: &str) -> Stop {
    let names: Vec<&str> = Build::all().map(|build| build.version.name).collect();
    let text = unknown("Python", name, &names);
    Stop::BadInput(format!("{text} (each also with -32)"))
}
