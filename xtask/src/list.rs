//! `cargo xtask list`: what there is to measure, a line each.

use serde_json::json;

use crate::args::{ListFormat, ListOptions};
use crate::say;
use crate::stop::Stop;
use crate::subjects::{self, Workspace};

pub(crate) fn list(options: &ListOptions) -> Result<(), Stop> {
    let workspace = subjects::workspace()?;
    say::result(&match options.format {
        ListFormat::Table => table(&workspace),
        ListFormat::Json => format!("{:#}\n", document(&workspace)),
    })
}

fn table(workspace: &Workspace) -> String {
    let mut text = String::from("allocators\n");
    for allocator in &workspace.allocators {
        text += &format!("  {:<12} {}\n", allocator.name, allocator.summary);
    }
    text += "scenarios (default size)\n";
    for scenario in scenarios::ALL {
        let size = report::thousands(scenario.default_size);
        text += &format!(
            "  {:<12} {} ({size} {})\n",
            scenario.name, scenario.summary, scenario.unit
        );
    }
    text
}

fn document(workspace: &Workspace) -> serde_json::Value {
    let allocators = workspace.allocators.iter();
    let allocators = allocators.map(|a| json!({ "name": a.name, "summary": a.summary }));
    let scenarios = scenarios::ALL.iter().map(|scenario| {
        json!({
            "name": scenario.name,
            "summary": scenario.summary,
            "question": scenario.question,
            "unit": scenario.unit,
            "default_size": scenario.default_size,
        })
    });
    json!({
        "allocators": allocators.collect::<Vec<_>>(),
        "scenarios": scenarios.collect::<Vec<_>>(),
    })
}
