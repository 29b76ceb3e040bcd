//! A comparison as tables, a row for each cell, for a terminal and for Markdown.

use model::{Cell, Comparison, Moment, Timings};

use crate::ledger::unexplained_lines;
use crate::rows::sections;
use crate::screen::{Screen, Width};
use crate::sentences::sentences;
use crate::shape;
use crate::text;

/// How to read a row.
const LEGEND: &str = "\
What is kept, of what the object occupied when it was first built: after the first \
and the last drop, after idling and then ordinary activity, 60 s each, and when the \
allocator was asked for it. Above 100 % where more is kept than one object took, \
below 0 where less is held than before it. reuse: the page faults that the second \
build was spared. returns: the first occasion at which nine tenths had come back (of \
a small object, all but 2 MiB and at least three quarters); at once only if each drop \
returned them, and on activity if it took another round of building and dropping.";

/// The same of a scenario that has a garbage collector.
const COLLECTOR_LEGEND: &str =
    "gc, and g among the bars: after a full collection, before the allocator was asked.";

/// How to read the rows of these cells, in paragraphs.
fn legend(cells: &[Cell]) -> impl Iterator<Item = &'static str> {
    let mut checkpoints = cells.iter().flat_map(|cell| &cell.checkpoints);
    let has_collector = checkpoints.any(|checkpoint| checkpoint.name == Moment::Collected);
    let collector = has_collector.then_some(COLLECTOR_LEGEND);
    [LEGEND, shape::LEGEND].into_iter().chain(collector)
}

/// For a terminal: a table per scenario, then the sentences.
pub fn terminal(comparison: &Comparison, width: Width) -> String {
    let mut screen = Screen::new(width);
    for section in sections(&comparison.cells) {
        screen.heading(&section.title);
        screen.table(&section.on_screen());
        screen.blank();
    }
    for paragraph in legend(&comparison.cells) {
        screen.prose(paragraph);
    }
    screen.blank();
    for sentence in sentences(comparison) {
        screen.item(&sentence);
    }
    for (index, sentence) in unexplained_lines(&comparison.cells).iter().enumerate() {
        if index == 0 {
            screen.blank();
        }
        screen.item(sentence);
    }
    screen.into_text()
}

/// For a pull request: the same under headings.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = String::new();
    for section in sections(&comparison.cells) {
        let table = section.in_markdown();
        text += &format!("### {}\n\n{table}\n\n", text::markdown(&section.title));
    }
    for paragraph in legend(&comparison.cells) {
        text += &format!("{}\n", textwrap::fill(paragraph, Width::Endless.prose()));
    }
    text.push('\n');
    for sentence in sentences(comparison) {
        text += &format!("- {}\n", text::markdown(&sentence));
    }
    for (index, sentence) in unexplained_lines(&comparison.cells).iter().enumerate() {
        if index == 0 {
            text.push('\n');
        }
        text += &format!("{}\n", text::markdown(sentence));
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
