//! A document may have been written by anyone: what it says is text.

use std::collections::HashSet;

use afterdrop_report as report;
use model::Status;
use scraper::Html;

use crate::{select, text, with_knobs};

#[test]
fn whatever_a_document_says_is_shown_and_not_run() {
    let hostile = "</script><script>alert(1)</script>\"' onload=x \u{202e}evil\n<!--{{ 1 }}&amp;";
    let (mut comparison, mut tradeoffs) = with_knobs();
    let name = || hostile.to_owned();
    comparison.command = name();
    comparison.afterdrop_version = name();
    comparison.host.os = Some(name());
    for cell in &mut comparison.cells {
        cell.allocator = name();
        cell.allocator_title = Some(name());
        cell.allocator_version = Some(name());
        cell.scenario = name();
        cell.python = Some(name());
        cell.machine = Some(name());
        let cause = cell.cause.as_mut().expect("a cause");
        cause.sentence = name();
        cause.evidence[0].name = name();
        for entry in cell.checkpoints.iter_mut().flat_map(|c| &mut c.ledger) {
            entry.source = name();
            entry.name = name();
        }
    }
    comparison.cells[1].failure = Some(name());
    comparison.cells[1].status = Status::Failed;
    comparison.cells[1].verdict = None;
    for contestant in &mut tradeoffs.contestants {
        contestant.knob = name();
    }
    let html = report::html(&comparison, &tradeoffs);
    assert!(
        !html.contains('\u{202e}'),
        "what turns the text is named instead"
    );
    let (plain, judged) = with_knobs();
    let plain = Html::parse_document(&report::html(&plain, &judged));
    let page = Html::parse_document(&html);
    assert!(select(&page, "script").is_empty());
    let names = |page: &Html| -> HashSet<String> {
        let elements = select(page, "*").into_iter();
        let names = elements.flat_map(|element| element.value().attrs().map(|(name, _)| name));
        names.map(str::to_owned).collect()
    };
    let (all, of_templates) = (names(&page), names(&plain));
    let unknown: Vec<&String> = all.difference(&of_templates).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    let shown = "</script><script>alert(1)</script>\"' onload=x [U+202E]evil␊<!--{{ 1 }}&amp;";
    // There it is quoted for a shell as well.
    assert!(text(select(&page, "#c0 pre")[0]).contains("[U+202E]evil␊"));
    for place in [
        "header",
        "#c0 h3",
        "#c0 .evidence",
        "#matrix",
        "#tradeoff",
        "#c1 > p + h3 + p",
    ] {
        let seen = text(select(&page, place)[0]);
        assert!(seen.contains(shown), "{place}: {seen}");
    }
}
