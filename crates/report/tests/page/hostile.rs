//! A document may have been written by anyone: what it says is text.

use std::collections::HashSet;

use afterdrop_report as report;
use model::{Change, Choice, Comparison, Differences, Status, Tradeoffs, Turned};
use scraper::Html;

use crate::{earlier, folded, select, text, with_knobs};

const HOSTILE: &str =
    "</script><script>alert(1)</script>\"' onload=x \u{202e}evil\n<!--{{ 1 }}&amp;";

/// The same as a reader should see it.
const SHOWN: &str = "</script><script>alert(1)</script>\"' onload=x [U+202E]evil␊<!--{{ 1 }}&amp;";

/// Whether the page has no attribute that the plain one has not.
#[track_caller]
fn inert(html: &str, plain: &str) -> Html {
    assert!(
        !html.contains('\u{202e}'),
        "what turns the text is named instead"
    );
    let (page, plain) = (Html::parse_document(html), Html::parse_document(plain));
    let names = |page: &Html| -> HashSet<String> {
        let elements = select(page, "*").into_iter();
        let names = elements.flat_map(|element| element.value().attrs().map(|(name, _)| name));
        names.map(str::to_owned).collect()
    };
    let (all, of_templates) = (names(&page), names(&plain));
    let unknown: Vec<&String> = all.difference(&of_templates).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    page
}

/// A comparison that says it wherever a document can say anything.
fn hostile() -> (Comparison, Tradeoffs) {
    let (mut comparison, mut tradeoffs) = with_knobs();
    let name = || HOSTILE.to_owned();
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
        cell.turned = Some(Turned {
            how: name(),
            does: Some(name()),
        });
        cell.chosen = Some(Choice::Subject(name()));
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
    (comparison, tradeoffs)
}

#[test]
fn whatever_a_document_says_is_shown_and_not_run() {
    let (comparison, tradeoffs) = hostile();
    let html = report::html(&comparison, &tradeoffs);
    assert!(select(&Html::parse_document(&html), "script").is_empty());
    check(&html);
}

/// Every cell has the same names, so that all of them are stories of one experiment.
#[test]
fn whatever_a_document_of_many_cells_says_stays_folded() {
    let (mut comparison, tradeoffs) = hostile();
    let few = comparison.cells.clone();
    comparison.cells = few.iter().cycle().take(604).cloned().collect();
    let html = report::html(&comparison, &tradeoffs);
    let page = Html::parse_document(&html);
    let scripts = select(&page, "script");
    assert_eq!(scripts.len(), folded::experiments(&comparison) + 1);
    assert_eq!(select(&page, "article").len(), 0);
    check(&folded::unfolded(&html));
}

/// Whether the hostile text is in its places in this page, and nowhere else.
#[track_caller]
fn check(html: &str) {
    let (plain, judged) = with_knobs();
    let page = inert(html, &report::html(&plain, &judged));
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
        assert!(seen.contains(SHOWN), "{place}: {seen}");
    }
}

#[test]
fn whatever_a_baseline_says_is_shown_and_not_run() {
    let (new, tradeoffs) = with_knobs();
    let mut old = earlier::before(&new);
    let mut differences = earlier::differences(&old, &new);
    let name = || HOSTILE.to_owned();
    // The one that is gone, of which all is the baseline's own word.
    let gone = old.cells.last_mut().expect("a cell");
    (gone.scenario, gone.allocator, gone.knob) = (name(), name(), name());
    differences.cells.last_mut().expect("a cell").cell = gone.key();
    differences.old.command = name();
    differences.old.afterdrop_version = name();
    differences.circumstances[0].name = name();
    differences.circumstances[0].old = Some(name());
    let failed = Change::Status {
        old: Status::Failed,
        new: Status::Measured,
        failure: Some(name()),
    };
    let version = Change::Version {
        old: Some(name()),
        new: None,
    };
    let cause = Change::Cause {
        old: Some(name()),
        new: None,
    };
    differences.cells[0].changes = vec![failed, version, cause];
    let html = |old: &Comparison, differences: &Differences| {
        let baseline = report::Baseline {
            comparison: old,
            differences,
        };
        report::html_since(&new, &tradeoffs, baseline)
    };
    let hostile = html(&old, &differences);
    let before = earlier::before(&new);
    let plain = html(&before, &earlier::differences(&before, &new));
    let page = inert(&hostile, &plain);
    assert!(select(&page, "script").is_empty());
    for (place, times) in [
        ("#changes > p", 1),
        (".circumstances", 2),
        ("#changes tbody", 6),
        ("#c0 .since", 3),
    ] {
        let seen: String = select(&page, place).into_iter().map(text).collect();
        let found = seen.matches(SHOWN).count();
        assert!(found >= times, "{place}: {found} times in {seen}");
    }
}
