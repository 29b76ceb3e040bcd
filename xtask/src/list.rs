//! `cargo xtask list`: what there is to measure and to turn, a line each.

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
    say::result(&match options.format {
        ListFormat::Table => table(&allocators, &habits, &live),
        ListFormat::Json => format!("{:#}\n", document(&allocators, &habits, &live)),
    })
}

fn table(allocators: &[Listed], habits: &[Documented], live: &[Documented]) -> String {
    let mut text = String::from("allocators\n");
    for (allocator, _) in allocators {
        let on_request = match allocator.on_request {
            true => " (built on request)",
            false => "",
        };
        let Allocator { name, summary, .. } = allocator;
        text += &format!("  {name:<20} {summary}{on_request}\n");
    }
    for (index, scenario) in scenarios::ALL.iter().enumerate() {
        if index == 0 {
            text += "scenarios (default size)\n";
        } else if index == scenarios::CORE.len() {
            text += "scenarios of complaints (by name, or all of them with --scenario all)\n";
        } else if index == scenarios::RUST.len() {
            text += "scenarios in Python, of the version that --python says (in the same way)\n";
        }
        let size = report::thousands(scenario.default_size);
        text += &format!(
            "  {:<20} {} ({size} {})\n",
            scenario.name, scenario.summary, scenario.unit
        );
    }
    text += "workloads of bench\n";
    for workload in workloads::ALL {
        text += &format!("  {:<20} {}\n", workload.name, workload.summary);
    }
    let with_knobs = allocators.iter().filter(|(_, knobs)| !knobs.is_empty());
    let knobs = with_knobs.map(|(allocator, knobs)| (&*allocator.name, knobs.as_slice()));
    for (whose, knobs) in
        knobs.chain([("scenarios in Python", habits), ("live interpreters", live)])
    {
        text += &format!("knobs of {whose}\n");
        for knob in knobs {
            text += &format!("  {:<20} {}\n", knob.name, knob.does);
        }
    }
    text
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
