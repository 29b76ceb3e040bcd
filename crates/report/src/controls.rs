//! The controls for a terminal: a line for each assertion, and how many survived.

use model::{Controls, Knob, TriedControl};

use crate::tables::plain;

/// For a terminal.
pub fn controls(controls: &Controls) -> String {
    let header = ["assertion", "control", "what it changes"].map(str::to_owned);
    let rows: Vec<Vec<String>> = controls.controls.iter().map(row).collect();
    format!(
        "{}\n\n{} controls, {} survived\n",
        plain(&header, &rows),
        rows.len(),
        controls.survived
    )
}

fn row(tried: &TriedControl) -> Vec<String> {
    let mut assertion = format!("{} of {}", tried.assertion, tried.scenario);
    if let Some(python) = &tried.python {
        assertion += &format!(" in Python {python}");
    }
    assertion += &format!(" under {}", tried.allocator);
    if tried.knob != Knob::DEFAULT {
        assertion += &format!(" with {}", tried.knob);
    }
    let change = tried.change.clone();
    let change = change.unwrap_or_else(|| "nothing: it SURVIVED".to_owned());
    vec![assertion, tried.control.clone(), change]
}
