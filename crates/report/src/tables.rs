//! The same rows for a terminal and for Markdown.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use model::{Cell, Comparison, Moment, Timings};

use crate::ledger::unexplained;
use crate::rows::sections;
use crate::sentences::sentences;

/// How to read a row.
const LEGEND: &str = "\
What is kept, of what the object occupied when it was first built: after the first
and the last drop, after idling and then ordinary activity, 60 s each, and when the
allocator was asked for it. Above 100 % where more is kept than one object took,
below 0 where less is held than before it. reuse: the page faults that the second
build was spared. returns: the first occasion at which nine tenths had come back (of
a small object, all but 2 MiB and at least three quarters); at once only if each drop
returned them, and on activity if it took another round of building and dropping.
";

/// The same of a scenario that has a garbage collector.
const COLLECTOR_LEGEND: &str = "gc: after a full collection, before the allocator was asked.\n";

/// How to read the rows of these cells.
fn legend(cells: &[Cell]) -> String {
    let mut checkpoints = cells.iter().flat_map(|cell| &cell.checkpoints);
    match checkpoints.any(|checkpoint| checkpoint.name == Moment::Collected) {
        true => format!("{LEGEND}{COLLECTOR_LEGEND}"),
        false => LEGEND.to_owned(),
    }
}

/// A line of prose, in characters.
pub(crate) const WIDTH: usize = 96;

/// A rule below the header and nothing else.
const PLAIN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// For a terminal: a table per scenario, then the sentences.
pub fn terminal(comparison: &Comparison) -> String {
    let mut text = String::new();
    for section in sections(&comparison.cells) {
        let table = plain(&section.header, &section.rows);
        text += &format!("{}\n{table}\n\n", section.title);
    }
    text += &format!("{}\n", legend(&comparison.cells));
    for sentence in sentences(comparison) {
        let hanging = textwrap::Options::new(WIDTH).subsequent_indent("  ");
        text += &format!("{}\n", textwrap::fill(&sentence, hanging));
    }
    if let Some(unexplained) = unexplained(&comparison.cells) {
        text += &format!("\n{unexplained}\n");
    }
    text
}

/// For a pull request: the same under headings.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = String::new();
    for section in sections(&comparison.cells) {
        let table = trimmed(&section.header, &section.rows, presets::ASCII_MARKDOWN);
        text += &format!("### {}\n\n{table}\n\n", section.title);
    }
    text += &format!("{}\n", legend(&comparison.cells));
    for sentence in sentences(comparison) {
        text += &format!("- {}\n", sentence.replace('|', "\\|"));
    }
    if let Some(unexplained) = unexplained(&comparison.cells) {
        text += &format!("\n{unexplained}\n");
    }
    text
}

/// What measuring cost, for `--timings`.
pub fn timings(timings: &Timings) -> String {
    let overhead = timings
        .overhead()
        .map_or("-".to_owned(), |part| format!("{:.1} %", part * 100.0));
    format!(
        "subjects' own work {:.0} ms of CPU; driver {:.0} ms and probe {:.0} ms on top of it: {overhead}; \
         the allocators' accounts of themselves {:.0} ms of CPU",
        timings.subject_ms, timings.driver_ms, timings.probe_ms, timings.account_ms,
    )
}

/// A table for a terminal. The last column is words.
pub(crate) fn plain(header: &[String], rows: &[Vec<String>]) -> String {
    narrow(table(header, rows, PLAIN))
}

/// A table for a terminal, all figures but the first column.
pub(crate) fn plain_figures(header: &[String], rows: &[Vec<String>]) -> String {
    narrow(figures(header, rows))
}

/// The same for Markdown.
pub(crate) fn figures_in_markdown(header: &[String], rows: &[Vec<String>]) -> String {
    let mut table = table(header, rows, presets::ASCII_MARKDOWN);
    align_last_right(&mut table, header.len());
    table.trim_fmt()
}

/// The same with one blank between two columns, for many of them.
pub(crate) fn dense_figures(header: &[String], rows: &[Vec<String>]) -> String {
    let mut table = figures(header, rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 0)); // the line's own blank is left
    }
    table.trim_fmt()
}

fn figures(header: &[String], rows: &[Vec<String>]) -> Table {
    let mut table = table(header, rows, PLAIN);
    align_last_right(&mut table, header.len());
    table
}

fn align_last_right(table: &mut Table, columns: usize) {
    if let Some(last) = table.column_mut(columns - 1) {
        last.set_cell_alignment(CellAlignment::Right);
    }
}

fn narrow(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1)); // beside the line's own blank; narrow enough for 80 columns
    }
    table.trim_fmt()
}

/// A table in a style of one's own, without blanks at the ends of lines.
pub(crate) fn trimmed(header: &[String], rows: &[Vec<String>], style: TableStyle) -> String {
    table(header, rows, style).trim_fmt()
}

/// The first column, names, and the last one, words, to the left; the figures between them to
/// the right.
fn table(header: &[String], rows: &[Vec<String>], style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style);
    table.set_header(header);
    table.add_rows(rows);
    for index in 1..header.len() - 1 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
