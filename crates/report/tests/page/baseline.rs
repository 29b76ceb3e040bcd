//! With a baseline the page says what changed, in words, beside the figures of before.

use afterdrop_report as report;
use model::{Comparison, Differences};
use scraper::Html;

use crate::earlier::{before, differences};
use crate::{page, select, text, with_knobs};

/// The page of the cells with knobs, since what [`before`] makes of them and `change` of that.
fn since(change: impl FnOnce(&mut Comparison, &mut Comparison, &mut Differences)) -> Html {
    let (mut new, tradeoffs) = with_knobs();
    let mut old = before(&new);
    let mut differences = differences(&old, &new);
    change(&mut old, &mut new, &mut differences);
    let baseline = report::Baseline {
        comparison: &old,
        differences: &differences,
    };
    Html::parse_document(&report::html_since(&new, &tradeoffs, baseline))
}

/// All of an element's rows, as text.
fn rows(page: &Html, selector: &str) -> Vec<Vec<String>> {
    let rows = select(page, &format!("{selector} tbody tr")).into_iter();
    rows.map(|row| row.child_elements().map(text).collect())
        .collect()
}

#[test]
fn what_changed_opens_the_page_and_leads_to_the_stories() {
    let page = since(|_, _, _| {});
    let sections = select(&page, "main > section");
    assert_eq!(sections[0].attr("id"), Some("changes"));
    let said = text(sections[0]);
    for words in [
        "4 of 5 cells changed; 1 differs by no more than two runs do",
        "glibc 2.36 before, unknown now",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let changed = rows(&page, "#changes > .wide");
    assert_eq!(
        changed[0],
        [
            "int-list, size 5,120,000, under system",
            "on activity",
            "drop 1: 119,828 before, 159,828 now",
            ""
        ]
    );
    assert_eq!(changed[1][1], "never before, on activity now");
    let kept = "idle 60 s: 165,416";
    assert!(
        !changed[1][2].contains(kept),
        "as it was: {}",
        changed[1][2]
    );
    for figure in [
        "active 100 ms to 1 s: 165,416 before, 163,612 now",
        "settled: 165,416 before, 5,288 now",
    ] {
        assert!(changed[1][2].contains(figure), "{}", changed[1][2]);
    }
    assert_eq!(
        changed[1][3],
        "cause \"Another reason\" before, \"none\" now"
    );
    assert_eq!(changed[2][3], "only the new result has it");
    let gone = &changed[3];
    assert!(gone[0].ends_with("under jemalloc away"), "{gone:?}");
    assert_eq!(gone[3], "only the old result has it");
    assert_eq!(changed.len(), 4);

    let links = select(&page, "#changes > .wide tbody a").into_iter();
    let links: Vec<_> = links.filter_map(|link| link.attr("href")).collect();
    assert_eq!(
        links,
        ["#c0", "#c1", "#c3"],
        "the one that is gone has no story"
    );
    let noise = rows(&page, "#changes > details");
    assert_eq!(noise.len(), 1);
    assert_eq!(noise[0][3], "CPU time 100 ms before, 900 ms now");
}

#[test]
fn a_changed_cell_is_marked_in_words() {
    let page = since(|_, _, _| {});
    let mark = |index: usize| {
        let marks = select(&page, &format!(".matrix a[href='#c{index}'] .was"));
        marks.into_iter().map(text).collect::<String>()
    };
    assert_eq!([0, 1, 2, 3].map(mark), ["was 60 %", "was never", "", "new"]);
}

#[test]
fn a_story_tells_its_changes_and_the_curve_shows_what_was_before() {
    let page = since(|_, _, _| {});
    let told = |index: usize| -> Vec<String> {
        let told = select(&page, &format!("#c{index} .since li"));
        told.into_iter().map(text).collect()
    };
    assert_eq!(
        told(0),
        ["kept at drop 1: 119,828 KiB before, 159,828 KiB now"]
    );
    assert_eq!(told(1)[0], "returns: never before, on activity now");
    assert_eq!(told(2), ["CPU time 100 ms before, 900 ms now"]);

    let (new, _) = with_knobs();
    let old = before(&new);
    let experiment = Html::parse_fragment(&select(&page, ".experiment")[1].inner_html());
    let names: Vec<_> = select(&experiment, ".curve thead th")
        .into_iter()
        .map(text)
        .collect();
    assert_eq!(
        names,
        ["checkpoint", "○ default", "╌ default, before", "▲ turned"]
    );
    let was: Vec<String> = rows(&experiment, ".curve")
        .into_iter()
        .map(|row| row[2].clone())
        .collect();
    let mut of_old: Vec<i64> = old.cells[1]
        .checkpoints
        .iter()
        .map(|c| c.kept_kib)
        .collect();
    of_old.dedup();
    let mut shown: Vec<i64> = was
        .iter()
        .map(|kib| kib.replace(',', "").parse().expect("KiB"))
        .collect();
    shown.dedup();
    assert_eq!(shown, of_old);
    let dashed = select(&experiment, "polyline[stroke-dasharray]");
    assert_eq!(dashed.len(), 1);
    assert_eq!(
        dashed[0].attr("stroke"),
        Some("var(--line-0)"),
        "the knob's own colour"
    );
    let labels: Vec<_> = select(&experiment, "svg text")
        .into_iter()
        .map(text)
        .collect();
    assert!(labels.contains(&"○ before".to_owned()), "{labels:?}");
}

#[test]
fn a_line_of_before_is_drawn_where_it_was() {
    let (new, tradeoffs) = with_knobs();
    let old = before(&new);
    let lines = |html: &str| -> Vec<String> {
        let page = Html::parse_document(html);
        let lines = select(&page, ".experiment polyline[stroke-width='3']").into_iter();
        lines
            .filter_map(|line| line.attr("points").map(str::to_owned))
            .collect()
    };
    let differences = differences(&old, &new);
    let baseline = report::Baseline {
        comparison: &old,
        differences: &differences,
    };
    let since = lines(&report::html_since(&new, &tradeoffs, baseline));
    let (was, is) = (lines(&page(&old)), lines(&page(&new)));
    let of_jemalloc = &is[2];
    assert!(
        since.contains(of_jemalloc),
        "the line of now is where it is without a baseline"
    );
    assert!(since.contains(&was[2]), "{was:?} {since:?}");
    assert_ne!(&was[2], of_jemalloc);
}

#[test]
fn where_nothing_changed_that_is_said_and_no_cell_is_marked() {
    let page = since(|old, new, differences| {
        *old = new.clone();
        differences.cells.clear();
        differences.same = 4;
    });
    let said = text(select(&page, "#changes")[0]);
    assert!(
        said.contains("no cell of 4 changed; 4 are the same"),
        "{said}"
    );
    assert!(select(&page, ".was, .since, polyline[stroke-dasharray], .changed").is_empty());
}

#[test]
fn of_two_cells_with_one_name_the_one_that_changed_is_marked() {
    let page = since(|old, new, differences| {
        *old = new.clone();
        for comparison in [&mut *old, &mut *new] {
            comparison.cells[2].knob = comparison.cells[0].knob.clone();
        }
        old.cells[2].checkpoints[2].kept_kib -= 40_000;
        differences.cells.truncate(1);
        differences.cells[0].nth = 1;
    });
    let marked = select(&page, ".matrix a:has(.was)").into_iter();
    let marked: Vec<_> = marked.filter_map(|link| link.attr("href")).collect();
    assert_eq!(marked, ["#c2"]);
}
