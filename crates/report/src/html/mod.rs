//! A comparison as one HTML page: a person looks at a matrix and opens the stories behind its cells.
//!
//! ```text
//! changes    what is not as it was, where a baseline was given
//! matrix     who gives what back when: a link for each cell
//! tradeoff   what returning costs, and whom nobody beats
//! story      one cell: why, where each KiB was, how to measure it again
//! experiment the stories of one allocator's knobs, and what they kept as time went by
//! ```
//!
//! The page is one file that fetches nothing, and without a script as long as it has no more cells than a browser
//! takes at once (`folded.rs`). A story is shown while its link is the address's fragment; a printed page has all
//! of them. Colours are CSS variables, so that charts follow the reader's light or dark, and whatever a colour says
//! stands there in words as well.

pub(crate) mod changes;
pub(crate) mod escape;
mod experiment;
mod folded;
pub(crate) mod matrix;
mod reproduce;
mod story;

use std::collections::HashMap;

use askama::Template;
use model::{Comparison, Host, Tradeoffs};

use crate::charts::chart::Theme;
use crate::charts::scatter::Scatter;
use crate::figures::mebibytes;
use crate::ledger::unexplained;
use crate::sentences::sentences;
use changes::{Baseline, Changes};
use experiment::Experiment;
use folded::Folded;
use matrix::Matrix;

/// One page that opens anywhere. `tradeoffs` are those of the same comparison.
pub fn html(comparison: &Comparison, tradeoffs: &Tradeoffs) -> String {
    page(comparison, tradeoffs, None)
}

/// The same, and what changed since a baseline.
pub fn html_since(
    comparison: &Comparison,
    tradeoffs: &Tradeoffs,
    baseline: Baseline<'_>,
) -> String {
    let changes = Changes::of(comparison, baseline);
    page(comparison, tradeoffs, Some(&changes))
}

fn page(comparison: &Comparison, tradeoffs: &Tradeoffs, changes: Option<&Changes>) -> String {
    let mut matrix = Matrix::of(&comparison.cells);
    if let Some(changes) = changes {
        changes.mark(&mut matrix);
    }
    let by_cell = changes.map_or_else(HashMap::new, Changes::by_cell);
    let page = Page {
        style: include_str!("style.css"),
        style_of_changes: changes.map_or("", |_| include_str!("changes.css")),
        comparison,
        machines: machines(comparison),
        changes,
        matrix,
        sentences: sentences(comparison),
        unexplained: unexplained(&comparison.cells),
        scatter: Scatter::of(&tradeoffs.contestants, Theme::Page),
        experiments: experiment::experiments(comparison, &tradeoffs.knobs, &by_cell),
        folded: Folded::of(comparison.cells.len()),
    };
    page.render()
        .expect("writing to a string, of values that all can be written")
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    style: &'static str,
    style_of_changes: &'static str,
    comparison: &'a Comparison,
    machines: Vec<MachineFacts<'a>>,
    changes: Option<&'a Changes<'a>>,
    matrix: Matrix<'a>,
    sentences: Vec<String>,
    unexplained: Option<String>,
    scatter: Option<Scatter>,
    experiments: Vec<Experiment<'a>>,
    folded: Option<Folded>,
}

/// Where some of the cells were measured, and by which command.
struct MachineFacts<'a> {
    name: Option<&'a str>,
    command: &'a str,
    facts: String,
    /// The lab conditions that did not hold.
    not_held: Vec<&'a str>,
}

fn machines(comparison: &Comparison) -> Vec<MachineFacts<'_>> {
    if comparison.machines.is_empty() {
        return vec![machine(None, &comparison.command, &comparison.host)];
    }
    let machines = comparison.machines.iter();
    machines
        .map(|m| machine(Some(&m.name), &m.command, &m.host))
        .collect()
}

fn machine<'a>(name: Option<&'a str>, command: &'a str, host: &'a Host) -> MachineFacts<'a> {
    let named =
        |what: &str, fact: &Option<String>| fact.as_ref().map(|fact| format!("{what}{fact}"));
    let facts = [
        host.os.clone(),
        named("kernel ", &host.kernel),
        named("glibc ", &host.glibc),
        Some(host.architecture.clone()),
        Some(format!("{} processors", host.cpu_count)),
        Some(format!("{} of memory", mebibytes(host.memory_kib as i64))),
    ];
    let conditions = host.lab_conditions.iter();
    MachineFacts {
        name,
        command,
        facts: facts.into_iter().flatten().collect::<Vec<_>>().join(", "),
        not_held: conditions
            .filter(|condition| !condition.held)
            .map(|condition| condition.name.as_str())
            .collect(),
    }
}
