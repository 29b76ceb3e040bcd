//! A comparison as a page: what it shows is what the document says, whatever that says.
//!
//! `../documents/compare.json` was measured; only its accounts' parts and counters, which no renderer reads,
//! are left out.

mod accessible;
mod baseline;
mod browser;
mod earlier;
mod figures;
mod folded;
mod hostile;
mod keyboard;
mod sizes;

use std::collections::HashSet;

use afterdrop_report as report;
use model::{
    Cell, Comparison, KnobPrices, Price, SmallestKnob, Status, Tradeoff, Tradeoffs, Turned,
};
use scraper::{ElementRef, Html, Selector};

fn measured() -> Comparison {
    serde_json::from_str(include_str!("../documents/compare.json")).expect("a comparison")
}

/// The page of a comparison whose tradeoffs do not matter.
fn page(comparison: &Comparison) -> String {
    report::html(comparison, &Tradeoffs::default())
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    page.select(&selector).collect()
}

/// What a reader sees of an element.
fn text(element: ElementRef) -> String {
    element.text().collect::<String>().trim().to_owned()
}

fn attributes<'a>(page: &'a Html, name: &str) -> Vec<&'a str> {
    let all = select(page, "*").into_iter();
    all.filter_map(|element| element.value().attr(name))
        .collect()
}

/// The measured cells, and each of them again with a knob turned.
fn with_knobs() -> (Comparison, Tradeoffs) {
    let mut comparison = measured();
    let turned = comparison.cells.clone().into_iter().map(|cell| Cell {
        knob: "turned".to_owned(),
        turned: Some(Turned {
            how: "TURNED=1".to_owned(),
            does: Some("gives back".to_owned()),
        }),
        ..cell
    });
    comparison.cells.extend(turned);
    let price = Price {
        cpu_ms_per_gib: 314.0,
        minor_faults_per_gib: Some(104_831.0),
    };
    let contestant = |cell: &Cell| Tradeoff {
        allocator: cell.allocator.clone(),
        knob: cell.knob.clone(),
        machine: None,
        experiments: 1,
        returned: 0.8,
        cost: 1.25,
        on_front: cell.knob == "turned",
    };
    let tradeoffs = Tradeoffs {
        contestants: comparison.cells.iter().map(contestant).collect(),
        knobs: vec![KnobPrices {
            default: comparison.cells[0].key(),
            prices: vec![("turned".to_owned(), Some(price))],
            smallest_knob: Some(SmallestKnob {
                name: "turned".to_owned(),
                how: "TURNED=1".to_owned(),
                price,
                as_cheap: vec!["another".to_owned()],
            }),
        }],
    };
    (comparison, tradeoffs)
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let (comparison, tradeoffs) = with_knobs();
    let first = report::html(&comparison, &tradeoffs);
    assert_eq!(first, report::html(&comparison, &tradeoffs));
    let json = serde_json::to_string(&comparison).expect("JSON");
    let read = serde_json::from_str(&json).expect("a comparison");
    assert_eq!(first, report::html(&read, &tradeoffs));
}

#[test]
fn every_cell_is_a_link_that_leads_to_its_story() {
    let (comparison, tradeoffs) = with_knobs();
    let page = Html::parse_document(&report::html(&comparison, &tradeoffs));
    let links = select(&page, ".matrix a");
    assert_eq!(links.len(), comparison.cells.len());
    for (index, cell) in comparison.cells.iter().enumerate() {
        let href = format!("#c{index}");
        let link = links.iter().find(|link| link.attr("href") == Some(&href));
        let verdict = cell.verdict.as_ref().expect("a verdict");
        let word = verdict.returns.name().replace('-', " ");
        assert!(text(*link.expect("a link")).starts_with(&word));
        let story = select(&page, &href);
        let title = text(select(&page, &format!("{href} h3"))[0]);
        assert_eq!(story.len(), 1);
        assert!(
            title.contains(&cell.allocator) && title.contains(&cell.scenario),
            "{title}"
        );
        assert_eq!(title.contains("turned"), cell.knob == "turned", "{title}");
    }
    let ids = attributes(&page, "id");
    let known: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len(), "no two elements have one id");
    for labelled in attributes(&page, "aria-labelledby") {
        assert!(known.contains(labelled), "{labelled}");
    }
}

#[test]
fn the_page_asks_nothing_of_any_host_and_runs_nothing() {
    let (comparison, tradeoffs) = with_knobs();
    let html = report::html(&comparison, &tradeoffs);
    let page = Html::parse_document(&html);
    for href in attributes(&page, "href") {
        assert!(href.starts_with('#') || href == "data:,", "{href}");
    }
    assert_eq!(attributes(&page, "src"), Vec::<&str>::new());
    assert!(select(&page, "script, iframe, object, embed, img, form").is_empty());
    assert!(!html.contains("url(") && !html.contains("@import"));
    let policy = select(&page, "meta[http-equiv=Content-Security-Policy]")[0];
    assert!(
        policy
            .attr("content")
            .unwrap_or_default()
            .starts_with("default-src 'none';")
    );
}

#[test]
fn a_document_with_little_in_it_has_a_page() {
    let mut comparison = measured();
    comparison.cells.truncate(1);
    let cell = &mut comparison.cells[0];
    cell.status = Status::Failed;
    cell.failure = Some("killed by SIGKILL while asked to build".to_owned());
    (cell.verdict, cell.cause) = (None, None);
    cell.checkpoints.clear();
    comparison.interrupted = true;
    let failed = Html::parse_document(&page(&comparison));
    assert_eq!(text(select(&failed, ".matrix a")[0]), "failed");
    assert!(text(select(&failed, "#c0")[0]).contains("killed by SIGKILL while asked to build"));
    assert!(select(&failed, "svg").is_empty(), "nothing to draw");
    comparison.cells.clear();
    let empty = Html::parse_document(&page(&comparison));
    assert!(text(select(&empty, "header")[0]).contains("The run was interrupted"));
}
