//! Text for a terminal, which grows from top to bottom: headings, prose and tables.
//!
//! Whatever goes in is shown and not obeyed, and nothing but this file and [`crate::grid`] adds an escape
//! sequence. So all of them in the text are ours, and whoever prints it may take all of them out again.

use crate::figures::listed;
use crate::grid::Grid;
use crate::style;
use crate::text::shown;

/// How much room there is for text.
#[derive(Clone, Copy, Debug)]
pub enum Width {
    /// A terminal of so many columns: tables take that much, prose as much as is easily read.
    Terminal(usize),
    /// A file or a pipe, which nobody needs to see as it is: no column of a table is left out.
    Endless,
}

impl Width {
    /// Columns of a line of prose.
    pub(crate) fn prose(self) -> usize {
        const READABLE: usize = 80;
        match self {
            Width::Terminal(columns) => columns.min(READABLE),
            Width::Endless => READABLE,
        }
    }

    /// Columns of a table.
    pub(crate) fn table(self) -> usize {
        match self {
            Width::Terminal(columns) => columns,
            Width::Endless => usize::MAX,
        }
    }

    /// How many of up to `most` columns this table can have here: one at least.
    pub(crate) fn side_by_side(self, most: usize, table: impl Fn(usize) -> Grid) -> usize {
        let fits = |&count: &usize| table(count).is_within(self.table());
        (2..=most).rev().find(fits).unwrap_or(1)
    }
}

/// The text so far.
pub struct Screen {
    text: String,
    width: Width,
}

impl Screen {
    /// An empty one.
    pub fn new(width: Width) -> Screen {
        Screen {
            text: String::new(),
            width,
        }
    }

    /// A line that says what the next ones are.
    pub fn heading(&mut self, text: &str) {
        let line = style::painted(&shown(text), style::HEADING);
        self.text += &format!("{line}\n");
    }

    /// A line that is as long as it is, however narrow the terminal.
    pub fn line(&mut self, text: &str) {
        self.text += &format!("{}\n", shown(text));
    }

    /// A paragraph.
    pub fn prose(&mut self, text: &str) {
        self.wrapped(text, 0, 0, self.width.prose());
    }

    /// One of several paragraphs that follow each other without a blank line.
    pub fn item(&mut self, text: &str) {
        self.wrapped(text, 0, 2, self.width.prose());
    }

    /// What belongs to the line above, so many blanks further in.
    pub fn below(&mut self, blanks: usize, text: &str) {
        self.wrapped(text, blanks, blanks + 2, self.width.prose());
    }

    /// A name and what there is to say of it, which stays one line where lines may be of any length.
    pub fn entry(&mut self, name: &str, text: &str) {
        const NAME: usize = 20;
        let columns = match self.width {
            Width::Terminal(_) => self.width.prose(),
            Width::Endless => usize::MAX,
        };
        self.wrapped(&format!("{name:<NAME$} {text}"), 2, NAME + 3, columns);
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A table, and which of its columns it lacks for want of room.
    pub(crate) fn table(&mut self, grid: &Grid) {
        let (table, missing) = grid.fitting(self.width.table());
        self.text += &format!("{table}\n");
        if !missing.is_empty() {
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            self.item(&format!("(no room here for {})", listed(&missing)));
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn width(&self) -> Width {
        self.width
    }

    fn wrapped(&mut self, text: &str, first: usize, other: usize, columns: usize) {
        // Where hardly any room is left beside the indent, a word a line helps nobody.
        let columns = columns.max(other + 20);
        let [first, other] = [first, other].map(|blanks| " ".repeat(blanks));
        let options = textwrap::Options::new(columns)
            .initial_indent(&first)
            .subsequent_indent(&other)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        self.text += &format!("{}\n", textwrap::fill(&shown(text), options));
    }
}
