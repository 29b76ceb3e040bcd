//! The verdicts that the suite asserts: a row for each scenario, a column for each allocator.

use comfy_table::{Table, presets};
use model::Returns;

use crate::tables::plain;

/// When the memory of a scenario comes back, under each allocator in the order of the columns.
pub struct Asserted<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// As asserted under each allocator.
    pub returns: Vec<Returns>,
}

/// For a terminal.
pub fn asserted(allocators: &[&str], rows: &[Asserted]) -> String {
    let (header, rows) = table(allocators, rows);
    plain(&header, &rows) + "\n"
}

/// For a document.
pub fn asserted_markdown(allocators: &[&str], rows: &[Asserted]) -> String {
    let (header, rows) = table(allocators, rows);
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table.add_rows(rows);
    table.trim_fmt() + "\n"
}

fn table(allocators: &[&str], rows: &[Asserted]) -> (Vec<String>, Vec<Vec<String>>) {
    let header = ["scenario"].iter().chain(allocators);
    let rows = rows.iter().map(|row| {
        let words = row.returns.iter().map(|r| r.name().replace('-', " "));
        let name = row.scenario.to_owned();
        [name].into_iter().chain(words).collect()
    });
    (
        header.map(|name| (*name).to_owned()).collect(),
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
