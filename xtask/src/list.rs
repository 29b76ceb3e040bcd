//! `cargo xtask list`: what there is to measure and to turn, a line each.

use report::Screen;
use scenarios::Scenario;
use scenarios::python::Build;
use serde_json::json;

use crate::args::{ListFormat, ListOptions};
use crate::interpreters;
use crate::knobs::{self, Documented};
use crate::say;
use crate::stop::Stop;
use crate::subjects::{self, Allocator};

/// An allocator and its knobs.
type Listed = (Allocator, Vec<Documented>);

pub(crate) fn list(options: &ListOptions) -> Result<(), Stop> {
    let workspace = subjects::workspace()?;
    let mut allocators = Vec::new();
    for allocator in workspace.allocators {
        let knobs = knobs::catalogue(&workspace.knobs, &allocator.name)?;
        allocators.push((allocator, knobs));
    }
    let habits = knobs::of_python(&workspace.knobs)?;
    let live = knobs::catalogue(&workspace.knobs, interpreters::CATALOGUE)?;
    match options.format {
        ListFormat::Table => say::screen(&table(&allocators, &habits, &live)),
        ListFormat::Json => say::json(&document(&allocators, &habits, &live)),
    }
}

fn table(allocators: &[Listed], habits: &[Documented], live: &[Documented]) -> String {
    let mut screen = Screen::new(say::width());
    screen.heading("allocators");
    for (allocator, _) in allocators {
        let on_request = match allocator.on_request {
            true => " (built on request)",
            false => "",
        };
        let Allocator { name, summary, .. } = allocator;
        screen.entry(name, &format!("{summary}{on_request}"));
    }
    for (index, scenario) in scenarios::ALL.iter().enumerate() {
        if index == 0 {
            screen.heading("scenarios (default size)");
        } else if index == scenarios::CORE.len() {
            screen.heading("scenarios of complaints (by name, or all of them with --scenario all)");
        } else if index == scenarios::RUST.len() {
            screen.heading(
                "scenarios in Python, of the version that --python says (in the same way)",
            );
        }
        let Scenario { summary, unit, .. } = scenario;
        let size = report::thousands(scenario.default_size);
        screen.entry(scenario.name, &format!("{summary} ({size} {unit})"));
    }
    screen.heading("workloads of bench");
    for workload in workloads::ALL {
        screen.entry(workload.name, workload.summary);
    }
    let with_knobs = allocators.iter().filter(|(_, knobs)| !knobs.is_empty());
    let knobs = with_knobs.map(|(allocator, knobs)| (&*allocator.name, knobs.as_slice()));
    for (whose, knobs) in
        knobs.chain([("scenarios in Python", habits), ("live interpreters", live)])
    {
        screen.heading(&format!("knobs of {whose}"));
        for knob in knobs {
            screen.entry(&knob.name, &knob.does);
        }
    }
    screen.into_text()
}

fn knob(knob: &Documented) -> serde_json::Value {
    json!({
        "name": knob.name,
        "does": knob.does,
        "default": knob.default,
        "cost": knob.cost,
    })
}

fn document(
    allocators: &[Listed],
    habits: &[Documented],
    live: &[Documented],
) -> serde_json::Value {
    let allocators = allocators.iter().map(|(allocator, knobs)| {
        let knobs = knobs.iter().map(knob);
        json!({
            "name": allocator.name,
            "summary": allocator.summary,
            "on_request": allocator.on_request,
            "knobs": knobs.collect::<Vec<_>>(),
        })
    });
    let scenarios = scenarios::ALL.iter().map(|scenario| {
        json!({
            "name": scenario.name,
            "summary": scenario.summary,
            "question": scenario.question,
            "unit": scenario.unit,
            "default_size": scenario.default_size,
            "python": scenario.is_python(),
        })
    });
    let workloads = workloads::ALL.iter().map(|workload| {
        json!({
            "name": workload.name,
            "summary": workload.summary,
            "operation": workload.operation,
        })
    });
    json!({
        "workloads": workloads.collect::<Vec<_>>(),
        "allocators": allocators.collect::<Vec<_>>(),
        "scenarios": scenarios.collect::<Vec<_>>(),
        "pythons": Build::all().map(|build| build.version.name).collect::<Vec<_>>(),
        "knobs_of_python": habits.iter().map(knob).collect::<Vec<_>>(),
        "knobs_of_interpreters": live.iter().map(knob).collect::<Vec<_>>(),
    })
}
