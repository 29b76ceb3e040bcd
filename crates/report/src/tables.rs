//! The same rows for a terminal and for Markdown.

use comfy_table::{CellAlignment, Table, TableStyle, presets};
use model::{Comparison, Timings};

use crate::rows::{Section, sections};
use crate::sentences::sentences;

const LEGEND: &str = "Percentages: what is kept of what the object occupied.\n\n";

/// For a terminal: a table per scenario, then the sentences.
pub fn terminal(comparison: &Comparison) -> String {
    let mut text = String::new();
    for section in sections(&comparison.cells) {
        let table = table(&section, presets::UTF8_HORIZONTAL_ONLY);
        text += &format!("{}\n{table}\n\n", section.title);
    }
    text += LEGEND;
    for sentence in sentences(comparison) {
        text += &format!("{sentence}\n");
    }
    text
}

/// For a pull request: the same under headings.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = String::new();
    for section in sections(&comparison.cells) {
        let table = table(&section, presets::ASCII_MARKDOWN);
        text += &format!("### {}\n\n{table}\n\n", section.title);
    }
    text += LEGEND;
    for sentence in sentences(comparison) {
        text += &format!("- {}\n", sentence.replace('|', "\\|"));
    }
    text
}

/// What measuring cost, for `--timings`.
pub fn timings(timings: &Timings) -> String {
    format!(
        "subjects' own work {:.0} ms of CPU; driver {:.0} ms and probe {:.0} ms on top of it: {:.1} %; \
         the allocators' accounts of themselves {:.0} ms of CPU",
        timings.subject_ms,
        timings.driver_ms,
        timings.probe_ms,
        timings.overhead() * 100.0,
        timings.account_ms,
    )
}

fn table(section: &Section, style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(&section.header);
    table.add_rows(&section.rows);
    // Names to the left, figures to the right, the verdict to the left.
    for index in 1..section.header.len() - 1 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
