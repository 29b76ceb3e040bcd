//! A table before it is laid out, for a terminal or for Markdown: columns, and rows of fields.
//!
//! On a terminal that is too narrow the blanks between columns go first, then columns, those that tell
//! least before the others, and where none of them may go the fields are broken into lines.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle, presets};

use crate::field::{Field, Heading};

/// A rule below the header and nothing else.
const PLAIN: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table's content.
#[derive(Clone)]
pub(crate) struct Grid {
    columns: Vec<Heading>,
    rows: Vec<Vec<Field>>,
    gap: Gap,
}

/// Blanks between two columns.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    One,
    Two,
}

impl Grid {
    pub(crate) fn new(columns: Vec<Heading>, rows: Vec<Vec<Field>>) -> Grid {
        Grid {
            columns,
            rows,
            gap: Gap::Two,
        }
    }

    /// The first column is names and the last one words; between them are figures.
    pub(crate) fn of_words(header: &[String], rows: Vec<Vec<Field>>) -> Grid {
        let last = header.len().saturating_sub(1);
        let columns = header.iter().enumerate().map(|(index, title)| match index {
            0 => Heading::words(title),
            _ if index == last => Heading::words(title),
            _ => Heading::figures(title),
        });
        Grid::new(columns.collect(), rows)
    }

    /// The first column is names; all others are figures.
    pub(crate) fn of_figures(header: &[String], rows: Vec<Vec<Field>>) -> Grid {
        let columns = header.iter().enumerate().map(|(index, title)| match index {
            0 => Heading::words(title),
            _ => Heading::figures(title),
        });
        Grid::new(columns.collect(), rows)
    }

    /// With one blank between two columns, for many of them.
    pub(crate) fn dense(self) -> Grid {
        Grid {
            gap: Gap::One,
            ..self
        }
    }

    /// Whether it is no wider than that.
    pub(crate) fn is_within(&self, columns: usize) -> bool {
        width(&self.on_screen().trim_fmt()) <= columns
    }

    /// For a terminal of so many columns, and the titles of the columns that it has no room for.
    pub(crate) fn fitting(&self, columns: usize) -> (String, Vec<String>) {
        let mut missing = Vec::new();
        let mut grid = self.clone();
        loop {
            let text = grid.on_screen().trim_fmt();
            if width(&text) <= columns {
                return (text, missing);
            }
            if grid.gap == Gap::Two {
                grid.gap = Gap::One;
            } else if let Some(title) = grid.without_the_least() {
                missing.push(title);
            } else {
                return (grid.broken(columns), missing);
            }
        }
    }

    /// For Markdown, where nothing in it is markup.
    pub(crate) fn in_markdown(&self) -> String {
        let titles = self.columns.iter().map(Heading::in_markdown);
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(Field::in_markdown));
        self.aligned(titles.collect(), rows, presets::ASCII_MARKDOWN)
            .trim_fmt()
    }

    fn on_screen(&self) -> Table {
        let titles = self.columns.iter().map(Heading::on_screen);
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(Field::on_screen));
        let mut table = self.aligned(titles.collect(), rows, PLAIN);
        for column in table.column_iter_mut() {
            // Beside the line's own blank.
            column.set_padding(match self.gap {
                Gap::One => (0, 0),
                Gap::Two => (0, 1),
            });
        }
        table
    }

    /// With fields of several lines, where a word a line is not wider than that.
    fn broken(&self, columns: usize) -> String {
        let mut table = self.on_screen();
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
        table.trim_fmt()
    }

    fn aligned<R: Into<comfy_table::Row>>(
        &self,
        titles: Vec<String>,
        rows: impl Iterator<Item = R>,
        style: TableStyle,
    ) -> Table {
        let mut table = Table::new();
        table.load_style(style);
        table.set_header(titles);
        table.add_rows(rows);
        for (index, heading) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_cell_alignment(heading.alignment);
            }
        }
        table
    }

    /// Takes out the column that tells least, if any may go; its title.
    fn without_the_least(&mut self) -> Option<String> {
        let ranks = self.columns.iter().enumerate();
        let ranks = ranks.filter_map(|(index, heading)| Some((heading.goes?, index)));
        let (_, index) = ranks.min()?;
        for row in &mut self.rows {
            row.remove(index);
        }
        Some(self.columns.remove(index).title)
    }
}

/// Columns that the widest line takes.
fn width(text: &str) -> usize {
    let widths = text.lines().map(textwrap::core::display_width);
    widths.max().unwrap_or(0)
}
