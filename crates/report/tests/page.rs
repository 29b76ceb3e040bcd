//! A comparison as a page: what it shows is what the document says, whatever that says.
//!
//! `documents/compare.json` was measured; only its accounts' parts and counters, which no renderer reads,
//! are left out.

use std::collections::HashSet;

use afterdrop_report as report;
use model::{Cell, Comparison, KnobPrices, Price, SmallestKnob, Status, Tradeoff, Tradeoffs};
use scraper::{ElementRef, Html, Selector};

fn measured() -> Comparison {
    serde_json::from_str(include_str!("documents/compare.json")).expect("a comparison")
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
                how: "--knob turned".to_owned(),
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
fn the_figures_of_a_ledger_are_those_of_the_document() {
    let comparison = measured();
    let page = Html::parse_document(&page(&comparison));
    for (index, cell) in comparison.cells.iter().enumerate() {
        let of = |rest: &str| select(&page, &format!("#c{index} .ledger {rest}"));
        let header: Vec<String> = of("thead th").into_iter().map(text).collect();
        let names = &header[2..header.len() - 1];
        let rows = of("tbody tr");
        let mut shown = rows.iter().map(|row| figures(*row)).peekable();
        for checkpoint in &cell.checkpoints {
            let kib = |name: &String| {
                let entry = checkpoint.ledger.iter().find(|entry| entry.name == *name);
                entry.expect("an entry of this name").kib
            };
            let mut expected = vec![checkpoint.kept_kib];
            expected.extend(names.iter().map(kib));
            expected.push(checkpoint.ledger.iter().map(|entry| entry.kib).sum());
            // A row stands for all checkpoints until the next one differs.
            if shown.peek() == Some(&expected) {
                shown.next();
            }
            let left_out = checkpoint
                .ledger
                .iter()
                .filter(|entry| !names.contains(&entry.name));
            assert_eq!(left_out.map(|entry| entry.kib).sum::<i64>(), 0);
        }
        assert_eq!(shown.next(), None, "a row that is at no checkpoint");
        let last = cell.checkpoints.last().expect("a checkpoint").kept_kib;
        assert_eq!(figures(rows[rows.len() - 1])[0], last);
    }
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
            ["default", "on activity", "-", "-"],
            ["turned", "on activity", "+314", "+104,831"]
        ]
    );
    assert!(
        text(experiment)
            .contains("The smallest that brings it back at once: turned. As cheap: another.")
    );
    assert_eq!(
        select(&html, "polyline[stroke^='var(--line-']").len() >= 2,
        true
    );
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
    for place in [
        "header",
        "#c0 h3",
        "#c0 .evidence",
        "#c0 pre",
        "#matrix",
        "#tradeoff",
        "#c1 > p + h3 + p",
    ] {
        let seen = text(select(&page, place)[0]);
        assert!(seen.contains(shown), "{place}: {seen}");
    }
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

/// So many cells like the measured ones, each of another experiment.
fn many(cells: usize) -> Comparison {
    let mut comparison = measured();
    let measured = comparison.cells.clone();
    let copies = measured.iter().cycle().take(cells).enumerate();
    let copies = copies.map(|(index, cell)| Cell {
        scenario: format!("{}-{}", cell.scenario, index / measured.len()),
        ..cell.clone()
    });
    comparison.cells = copies.collect();
    comparison
}

#[test]
fn the_page_of_a_default_run_is_small() {
    let bytes = page(&many(20)).len();
    assert!(bytes < 5 << 20, "{bytes} bytes");
}

/// Prints what it took; nothing asserts how fast anything is.
#[test]
fn ten_thousand_cells_are_a_page() {
    let comparison = many(10_000);
    let start = std::time::Instant::now();
    let html = page(&comparison);
    let (took, bytes) = (start.elapsed(), html.len());
    println!(
        "10,000 cells: {:.1} MiB in {took:.1?}",
        bytes as f64 / f64::from(1 << 20)
    );
    assert_eq!(html.matches("<article id=\"c").count(), 10_000);
}
