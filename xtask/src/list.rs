//! `cargo xtask list`: what there is to measure and to turn, a line each.

use serde_json::json;

use crate::args::{ListFormat, ListOptions};
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
    say::result(&match options.format {
        ListFormat::Table => table(&allocators),
        ListFormat::Json => format!("{:#}\n", document(&allocators)),
    })
}

fn table(allocators: &[Listed]) -> String {
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
    for (allocator, knobs) in allocators.iter().filter(|(_, knobs)| !knobs.is_empty()) {
        text += &format!("knobs of {}\n", allocator.name);
        for knob in knobs {
            text += &format!("  {:<20} {}\n", knob.name, knob.does);
        }
    }
    text
}

fn document(allocators: &[Listed]) -> serde_json::Value {
    let allocators = allocators.iter().map(|(allocator, knobs)| {
        let knobs = knobs.iter().map(|knob| {
            json!({
                "name": knob.name,
                "does": knob.does,
                "default": knob.default,
                "cost": knob.cost,
            })
        });
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
    })
}
