//! A page of many cells has its stories folded: the same stories, as text that no browser looks into.

use std::collections::HashSet;

use afterdrop_report as report;
use model::{Cell, Comparison, Tradeoffs};
use scraper::Html;

use crate::sizes::many_with_knobs;
use crate::{page, select, text};

/// How a folded story begins and ends.
const FOLD: (&str, &str) = ("<script type=\"text/html\" data-cells=\"", "</script>");

/// The page as it would be without folds, its own script left out.
pub(crate) fn unfolded(html: &str) -> String {
    let mut parts = html.split(FOLD.0);
    let head = parts.next().unwrap_or_default();
    let stories = parts.map(|part| {
        let (_, story) = part.split_once("\">").expect("a start tag");
        story.split_once(FOLD.1).expect("an end tag").0
    });
    format!("{head}{}", stories.collect::<String>())
}

/// How many experiments these cells are of: allocators in scenarios.
pub(crate) fn experiments(comparison: &Comparison) -> usize {
    let experiment = |cell: &Cell| (cell.scenario.clone(), cell.allocator.clone());
    let all: HashSet<_> = comparison.cells.iter().map(experiment).collect();
    all.len()
}

#[test]
fn the_stories_of_many_cells_are_those_of_few() {
    let many = many_with_knobs(604);
    let few = Comparison {
        cells: many.cells[..400].to_vec(),
        ..many.clone()
    };
    let (many, few) = (page(&many), page(&few));
    assert_eq!(many.matches(FOLD.0).count(), 302);
    assert_eq!(few.matches(FOLD.0).count(), 0);
    let stories = |html: &str| -> Vec<String> {
        let page = Html::parse_document(html);
        let all = select(&page, ".experiment").into_iter();
        all.map(|experiment| experiment.html()).collect()
    };
    assert_eq!(stories(&many), Vec::<String>::new(), "no elements of them");
    let unfolded = stories(&unfolded(&many));
    assert_eq!(unfolded.len(), 302);
    assert_eq!(unfolded[..200], stories(&few));
}

#[test]
fn each_fold_says_which_cells_it_has() {
    let comparison = many_with_knobs(604);
    let html = page(&comparison);
    let page = Html::parse_document(&html);
    let mut named = Vec::new();
    for fold in select(&page, "script[data-cells]") {
        let cells = fold.attr("data-cells").unwrap_or_default();
        let story = Html::parse_fragment(&text(fold));
        let ids = select(&story, "article").into_iter();
        let ids: Vec<&str> = ids.filter_map(|article| article.attr("id")).collect();
        let cells: Vec<String> = cells.split_whitespace().map(|c| format!("c{c}")).collect();
        assert_eq!(cells, ids);
        named.extend(cells);
    }
    let all: HashSet<String> = named.iter().cloned().collect();
    assert_eq!((named.len(), all.len()), (604, 604));
}

#[test]
fn a_page_of_folds_may_run_one_script_and_that_by_its_hash() {
    let html = report::html(&many_with_knobs(604), &Tradeoffs::default());
    let page = Html::parse_document(&html);
    let scripts = select(&page, "script:not([type=\"text/html\"])");
    assert_eq!(scripts.len(), 1);
    assert_eq!(scripts[0].value().attrs().count(), 0);
    assert_eq!(select(&page, "noscript").len(), 1);
    let policy = select(&page, "meta[http-equiv=Content-Security-Policy]")[0];
    let policy = policy.attr("content").unwrap_or_default();
    let (others, script) = policy.split_once("; script-src ").expect("a script");
    assert_eq!(
        others,
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    );
    // That it is the script's the browser tells: it would not run another.
    let hash = script
        .strip_prefix("'sha256-")
        .and_then(|s| s.strip_suffix("='"));
    assert!(hash.is_some_and(|hash| hash.len() == 43), "{script}");
}
