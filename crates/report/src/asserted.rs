//! The verdicts that the suite asserts: a row for each scenario, a column for each allocator.

use model::Returns;

use crate::field::{Field, Heading};
use crate::grid::Grid;
use crate::screen::{Screen, Width};

/// When the memory of a scenario comes back, under each allocator in the order of the columns.
pub struct Asserted<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// As asserted under each allocator.
    pub returns: Vec<Returns>,
}

/// For a terminal.
pub fn asserted(allocators: &[&str], rows: &[Asserted], width: Width) -> String {
    let mut screen = Screen::new(width);
    screen.table(&grid(allocators, rows));
    screen.into_text()
}

/// For a document.
pub fn asserted_markdown(allocators: &[&str], rows: &[Asserted]) -> String {
    grid(allocators, rows).in_markdown() + "\n"
}

fn grid(allocators: &[&str], rows: &[Asserted]) -> Grid {
    let headings = ["scenario"].iter().chain(allocators);
    let rows = rows.iter().map(|row| {
        let name = Field::from(row.scenario.to_owned());
        let words = row.returns.iter().copied().map(Field::verdict);
        [name].into_iter().chain(words).collect()
    });
    Grid::new(
        headings.map(|title| Heading::words(title)).collect(),
        rows.collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_stands_below_its_allocator() {
        let rows = [Asserted {
            scenario: "tree",
            returns: vec![Returns::OnActivity, Returns::AtOnce],
        }];
        let table = asserted_markdown(&["system", "pool"], &rows);
        let words = |line: &str| -> Vec<String> {
            let fields = line.trim_matches('|').split('|');
            fields.map(|field| field.trim().to_owned()).collect()
        };
        let mut lines = table.lines();
        assert_eq!(
            lines.next().map(words).unwrap(),
            ["scenario", "system", "pool"]
        );
        assert_eq!(
            lines.nth(1).map(words).unwrap(),
            ["tree", "on activity", "at once"]
        );
    }
}
