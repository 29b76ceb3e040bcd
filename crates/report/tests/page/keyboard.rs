//! Every story is reached and opened by keyboard alone, and what it then shows are the document's figures.

use afterdrop_report as report;
use model::figures::mebibytes;
use model::{Cell, Comparison, Moment, Returns, Tradeoffs};
use serde::Deserialize;

use crate::browser::{NARROW, Reader, open};
use crate::figures;
use crate::sizes::many_with_knobs;

/// What an open story shows, read in the browser.
#[derive(Debug, Deserialize)]
struct Shown {
    /// The stories that can be seen.
    stories: Vec<String>,
    /// The element that has the focus.
    focus: String,
    /// Its link in the matrix: the verdict's word, and what is kept.
    mark: String,
    verdict: String,
    facts: Vec<String>,
    evidence: Vec<String>,
    ledger_header: Vec<String>,
    ledger: Vec<Vec<i64>>,
    curve_header: Vec<String>,
    curve: Vec<Vec<i64>>,
}

const SHOWN: &str = "(() => {
    const all = (from, what) => [...from.querySelectorAll(what)];
    const text = e => e.innerText.trim();
    const numbers = (row, what) => all(row, what).map(e => Number(text(e).replaceAll(',', '')));
    const stories = all(document, 'article').filter(a => a.offsetHeight);
    const story = stories[0], experiment = story.closest('.experiment');
    return {
        stories: stories.map(a => a.id),
        focus: document.activeElement.id,
        mark: text(document.querySelector(`.matrix a[href=\"#${story.id}\"]`)),
        verdict: text(story.querySelector('h3 span')),
        facts: all(story, 'dl dd').map(text),
        evidence: all(story, '.evidence b').map(text),
        ledger_header: all(story, '.ledger thead th').map(text),
        ledger: all(story, '.ledger tbody tr').map(row => numbers(row, 'td:not(.bar)')),
        curve_header: all(experiment, '.curve thead th').map(text),
        curve: all(experiment, '.curve tbody tr').map(row => numbers(row, 'td')),
    };
})()";

const FOCUS: &str = "document.activeElement.id";

/// So many cells, no two of which have the same figures.
fn unlike(cells: usize) -> Comparison {
    let mut comparison = many_with_knobs(cells);
    let words = [
        Returns::AtOnce,
        Returns::WhenIdle,
        Returns::OnActivity,
        Returns::OnRequest,
        Returns::Partly,
        Returns::Never,
    ];
    for (index, cell) in comparison.cells.iter_mut().enumerate() {
        let more = index as i64 * 1_000;
        for checkpoint in &mut cell.checkpoints {
            checkpoint.kept_kib += more;
            checkpoint.ledger[0].kib += more;
        }
        let verdict = cell.verdict.as_mut().expect("a verdict");
        verdict.returns = words[index % words.len()];
        verdict.occupied_kib += 3 * more;
        let cause = cell.cause.as_mut().expect("a cause");
        cause.evidence[0].value = more;
    }
    comparison
}

/// Whether the story of this cell is open, and shows its figures.
#[track_caller]
fn check(reader: &Reader, comparison: &Comparison, index: usize) {
    wait_for(reader, &format!("#c{index}:target"));
    let shown: Shown = reader.value(SHOWN);
    let cell = &comparison.cells[index];
    assert_eq!(shown.stories, [format!("c{index}")]);
    assert_eq!(shown.focus, format!("c{index}"));

    let verdict = cell.verdict.as_ref().expect("a verdict");
    let word = verdict.returns.name().replace('-', " ");
    let drop = |c: &&model::Checkpoint| (c.name, c.round) == (Moment::Dropped, verdict.round);
    let drop = cell.checkpoints.iter().find(drop).expect("a drop");
    let kept = drop.kept_kib as f64 / verdict.occupied_kib as f64;
    let mark: Vec<&str> = shown.mark.split('\n').collect();
    let kept = format!("{:.0} %", (kept * 100.0).max(0.0));
    assert_eq!(
        mark.concat().replace(' ', ""),
        format!("{word}{kept}").replace(' ', "")
    );
    assert_eq!(shown.verdict, word);
    assert_eq!(shown.facts[0], mebibytes(verdict.occupied_kib));
    let cause = cell.cause.as_ref().expect("a cause");
    let evidence = cause
        .evidence
        .iter()
        .map(|evidence| evidence.value.to_string());
    assert!(
        evidence.eq(shown.evidence.iter().cloned()),
        "{:?}",
        shown.evidence
    );
    figures::check(cell, &shown.ledger_header, &shown.ledger);
    check_curve(cell, comparison, &shown);
}

/// Whether the table of the curve has what each knob kept at each checkpoint.
#[track_caller]
fn check_curve(cell: &Cell, comparison: &Comparison, shown: &Shown) {
    let of_it =
        |other: &&Cell| (&other.scenario, &other.allocator) == (&cell.scenario, &cell.allocator);
    let knobs: Vec<&Cell> = comparison.cells.iter().filter(of_it).collect();
    for (knob, title) in knobs.iter().zip(&shown.curve_header[1..]) {
        assert!(title.ends_with(&knob.knob), "{title}");
    }
    let mut rows = shown.curve.iter().peekable();
    for place in 0..cell.checkpoints.len() {
        let kept = knobs.iter().map(|knob| knob.checkpoints[place].kept_kib);
        // A row stands for all checkpoints until the next one differs.
        if rows.peek() == Some(&&kept.collect()) {
            rows.next();
        }
    }
    assert_eq!(rows.next(), None, "a row that is at no checkpoint");
    let last = knobs.iter().map(|knob| knob.checkpoints.last());
    let last: Option<Vec<i64>> = last.map(|last| last.map(|c| c.kept_kib)).collect();
    assert_eq!(shown.curve.last(), last.as_ref());
}

#[test]
fn every_story_is_opened_by_keyboard_and_shows_its_figures_and_asks_nobody() {
    let name = "every_story_is_opened_by_keyboard_and_shows_its_figures_and_asks_nobody";
    let comparison = unlike(20);
    let html = report::html(&comparison, &Tradeoffs::default());
    let Some(reader) = open(&html, name) else {
        return;
    };
    reader.resize(NARROW);
    let links: Vec<String> = (0..20).map(|index| format!("#c{index}")).collect();
    let mut reached = reader.reached_by_tab(24);
    reached.retain(|link| links.contains(link));
    reached.sort_by_key(|link| links.iter().position(|known| known == link));
    assert_eq!(reached, links);
    for (index, link) in links.iter().enumerate() {
        reader.run(&format!(
            "document.querySelector('.matrix a[href=\"{link}\"]').focus()"
        ));
        reader.follow(link, 0);
        check(&reader, &comparison, index);
    }
    reader.follow("#matrix", 1);
    assert_eq!(reader.value::<String>(FOCUS), "matrix");
    let wide: u32 = reader.value("document.documentElement.scrollWidth");
    assert!(wide <= NARROW, "{wide} pixels wide");
    reader.asked_nobody();
}

#[test]
fn a_folded_story_is_opened_by_keyboard_and_shows_its_figures_and_asks_nobody() {
    let name = "a_folded_story_is_opened_by_keyboard_and_shows_its_figures_and_asks_nobody";
    let comparison = unlike(2_000);
    let html = report::html(&comparison, &Tradeoffs::default());
    let Some(reader) = open(&html, name) else {
        return;
    };
    let stories = || reader.value::<usize>("document.querySelectorAll('article').length");
    assert_eq!(stories(), 0);
    // The first row of the matrix: after the table itself, a link for each of its cells.
    for (index, tabs) in [(0, 2), (3, 5)] {
        reader.follow(&format!("#c{index}"), tabs);
        check(&reader, &comparison, index);
        assert_eq!(stories(), 2, "those of one experiment");
        reader.follow("#matrix", 1);
        wait_for(&reader, "#matrix:target");
        assert_eq!(stories(), 0);
    }
    // As of any link, the way back is one step each.
    for (back, index) in [(1, 3), (2, 0)] {
        reader.run(&format!("history.go(-{back})"));
        check(&reader, &comparison, index);
    }
    // An address that names a story opens it.
    reader.go("#c1999");
    check(&reader, &comparison, 1_999);
    for nowhere in ["#c2000", "#c", "#c0%22]", "#%3Cb%3E", "#matrix"] {
        reader.go(nowhere);
        assert_eq!(stories(), 0, "{nowhere}");
    }
    reader.asked_nobody();
}

/// Until there is such an element, or for ten seconds.
fn wait_for(reader: &Reader, selector: &str) {
    reader.value::<u32>(&format!(
        "new Promise(done => {{
            const look = left => document.querySelector('{selector}') || !left
                ? done(0) : setTimeout(() => look(left - 1), 10);
            look(1000);
        }})"
    ));
}
