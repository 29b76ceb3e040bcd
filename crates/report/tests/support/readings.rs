//! Everything that is done with a document that somebody hands in: read, or refused with one line; drawn, compared,
//! merged.

use std::sync::LazyLock;

use afterdrop_report as report;
use afterdrop_report::{Baseline, Picture, Plot, Width};
use model::{Cell, Comparison};
use oracle::{Missing, Source, differences, merge, tradeoffs};

use crate::bytes::measured;

/// Whether it was read. Whatever breaks a promise panics.
pub fn read(text: &[u8]) -> bool {
    let comparison = match Comparison::read(text) {
        Ok(comparison) => comparison,
        Err(line) => {
            assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            return false;
        }
    };
    let written = serde_json::to_vec(&comparison).expect("a document of plain data");
    let again = Comparison::read(&written).expect("what was written is read");
    assert!(again == comparison, "it is not what was written");
    draw(&comparison);
    compare(&comparison);
    true
}

fn draw(comparison: &Comparison) {
    for width in [Width::Endless, Width::Terminal(1)] {
        report::terminal(comparison, width);
    }
    report::markdown(comparison);
    let judged = tradeoffs(comparison);
    let page = report::html(comparison, &judged);
    // A page of more cells has stories that are folded, and a script of its own.
    let would_run = page.contains("<script") && comparison.cells.len() <= 500;
    assert!(!would_run, "it would run");
    let cells: Vec<&Cell> = comparison.cells.iter().collect();
    let mut plots = vec![
        Plot::Matrix(&comparison.cells),
        Plot::Tradeoff(&judged.contestants),
        Plot::Curve(&cells),
    ];
    plots.extend(cells.first().map(|cell| Plot::Ledger(cell)));
    for picture in plots
        .iter()
        .filter_map(|plot| Picture::of(plot, comparison))
    {
        roxmltree::Document::parse(picture.svg()).expect("an SVG is XML");
    }
}

fn compare(comparison: &Comparison) {
    static MEASURED: LazyLock<Comparison> =
        LazyLock::new(|| serde_json::from_value(measured()).expect("a comparison"));
    let pairs = [
        (comparison, comparison),
        (comparison, &MEASURED),
        (&MEASURED, comparison),
    ];
    for (old, new) in pairs {
        let differences = differences(old, new, Missing::Gone);
        let are_the_same = std::ptr::eq(old, new);
        assert!(
            !are_the_same || differences.changed().next().is_none(),
            "it is not what it is"
        );
        report::differences(&differences, Width::Terminal(40));
        report::differences_markdown(&differences);
        let baseline = Baseline {
            comparison: old,
            differences: &differences,
        };
        report::html_since(new, &tradeoffs(new), baseline);
    }
    let source = |name: &str, comparison: &Comparison| Source {
        name: name.to_owned(),
        comparison: comparison.clone(),
    };
    let sources = vec![source("given", comparison), source("measured", &MEASURED)];
    match merge(sources) {
        Ok(merged) => draw(&merged),
        Err(line) => assert!(!line.is_empty()),
    }
}
