//! Everything that is done with a document that somebody hands in: read, or refused with one line; drawn, compared,
//! merged.

use std::sync::LazyLock;

use afterdrop_report as report;
use afterdrop_report::Width;
use model::Comparison;
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
    let page = report::html(comparison, &tradeoffs(comparison));
    assert!(!page.contains("<script"), "it would run");
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
