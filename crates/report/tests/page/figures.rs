//! What the page shows are the document's figures.

use afterdrop_report as report;
use model::Cell;
use scraper::{ElementRef, Html, Selector};

use crate::{measured, page, select, text, with_knobs};

#[test]
fn the_figures_of_a_ledger_are_those_of_the_document() {
    let comparison = measured();
    let page = Html::parse_document(&page(&comparison));
    for (index, cell) in comparison.cells.iter().enumerate() {
        let of = |rest: &str| select(&page, &format!("#c{index} .ledger {rest}"));
        let header: Vec<String> = of("thead th").into_iter().map(text).collect();
        let rows: Vec<Vec<i64>> = of("tbody tr").into_iter().map(figures).collect();
        check(cell, &header, &rows);
    }
}

/// Whether these are the figures of the cell's ledgers: kept, then each part, then their sum.
pub(crate) fn check(cell: &Cell, header: &[String], rows: &[Vec<i64>]) {
    let names = &header[2..header.len() - 1];
    let mut shown = rows.iter().peekable();
    for checkpoint in &cell.checkpoints {
        let kib = |name: &String| {
            let entry = checkpoint.ledger.iter().find(|entry| entry.name == *name);
            entry.expect("an entry of this name").kib
        };
        let mut expected = vec![checkpoint.kept_kib];
        expected.extend(names.iter().map(kib));
        expected.push(checkpoint.ledger.iter().map(|entry| entry.kib).sum());
        // A row stands for all checkpoints until the next one differs.
        if shown.peek() == Some(&&expected) {
            shown.next();
        }
        let left_out = checkpoint.ledger.iter();
        let left_out = left_out.filter(|entry| !names.contains(&entry.name));
        assert_eq!(left_out.map(|entry| entry.kib).sum::<i64>(), 0);
    }
    assert_eq!(shown.next(), None, "a row that is at no checkpoint");
    let last = cell
        .checkpoints
        .last()
        .map(|checkpoint| checkpoint.kept_kib);
    assert_eq!(rows.last().map(|row| row[0]), last);
}

/// The numbers of a row, without its bar.
fn figures(row: ElementRef) -> Vec<i64> {
    let cells = Selector::parse("td:not(.bar)").expect("a selector");
    let number = |cell| text(cell).replace(',', "").parse().expect("a number");
    row.select(&cells).map(number).collect()
}

#[test]
fn knobs_stand_beside_each_other_with_what_they_cost() {
    let (comparison, tradeoffs) = with_knobs();
    let page = Html::parse_document(&report::html(&comparison, &tradeoffs));
    let experiment = select(&page, ".experiment")[0];
    let html = Html::parse_fragment(&experiment.inner_html());
    let rows: Vec<Vec<String>> = select(&html, ".knobs tbody tr")
        .into_iter()
        .map(|row| row.child_elements().map(text).collect())
        .collect();
    assert_eq!(
        rows,
        [
            ["default", "on activity", "-", "-", "-"],
            [
                "turned",
                "on activity",
                "+314",
                "+104,831",
                "TURNED=1 gives back"
            ]
        ]
    );
    let smallest = "The smallest that brings it back at once: turned, TURNED=1, for +314 ms of CPU time and \
                    +104,831 page faults for each GiB. As cheap: another.";
    assert!(text(experiment).contains(smallest));
    let turned =
        |story: &str| text(select(&page, story)[0]).contains("Turned here: TURNED=1: gives back.");
    assert!(turned("#c2") && !turned("#c0"));
    assert_eq!(select(&html, "polyline[stroke^='var(--line-']").len(), 2);
    let kept = select(&html, ".curve tbody tr").into_iter().map(figures);
    assert!(
        kept.into_iter().all(|row| row[0] == row[1]),
        "one cell twice"
    );
    let front: Vec<String> = select(&page, "#tradeoff tbody tr")
        .into_iter()
        .map(text)
        .collect();
    assert_eq!(front.len(), 4);
    assert!(
        front[0].starts_with("system") && front[0].ends_with("no"),
        "{front:?}"
    );
    assert!(
        front[2].starts_with("system turned") && front[2].ends_with("yes"),
        "{front:?}"
    );
}
