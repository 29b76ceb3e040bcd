//! The controls for a terminal: a line for each assertion, and how many survived.

use model::{Controls, Knob, TriedControl};

use crate::field::Field;
use crate::grid::Grid;
use crate::screen::{Screen, Width};
use crate::style;

/// For a terminal.
pub fn controls(controls: &Controls, width: Width) -> String {
    let header = ["assertion", "control", "what it changes"].map(str::to_owned);
    let rows: Vec<Vec<Field>> = controls.controls.iter().map(row).collect();
    let summary = format!("{} controls, {} survived", rows.len(), controls.survived);
    let mut screen = Screen::new(width);
    screen.table(&Grid::of_words(&header, rows));
    screen.blank();
    screen.line(&summary);
    screen.into_text()
}

fn row(tried: &TriedControl) -> Vec<Field> {
    let mut assertion = format!("{} of {}", tried.assertion, tried.scenario);
    if let Some(python) = &tried.python {
        assertion += &format!(" in Python {python}");
    }
    assertion += &format!(" under {}", tried.allocator);
    if tried.knob != Knob::DEFAULT {
        assertion += &format!(" with {}", tried.knob);
    }
    let change = match &tried.change {
        Some(change) => Field::from(change.clone()),
        None => Field::from("nothing: it SURVIVED".to_owned()).styled(style::FAULT),
    };
    let names = [assertion, tried.control.clone()].map(Field::from);
    names.into_iter().chain([change]).collect()
}
