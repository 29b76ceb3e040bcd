//! What a terminal is sent: as wide as it is, in colours that repeat words, and nothing that it would obey.
//!
//! `documents/compare.json` was measured, with every checkpoint of a run.

use afterdrop_report as report;
use afterdrop_report::Width;
use insta::assert_snapshot;
use model::{Comparison, Returns, Status};
use textwrap::core::display_width;

/// The text without its styles.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn measured() -> Comparison {
    serde_json::from_str(include_str!("documents/compare.json")).expect("a comparison")
}

/// A comparison of three allocators, with names such as most have.
fn three() -> Comparison {
    let mut comparison = measured();
    let mut third = comparison.cells[1].clone();
    third.allocator = "mimalloc".to_owned();
    comparison.cells.push(third);
    comparison
}

fn widest(text: &str) -> usize {
    let widths = plain(text).lines().map(display_width).max();
    widths.expect("lines")
}

#[test]
fn the_bars_tell_the_whole_run() {
    let text = plain(&report::terminal(&measured(), Width::Endless));
    let (table, _) = text.split_once("\n\n").expect("a table");
    assert_snapshot!(table);
}

#[test]
fn a_usual_table_and_what_is_said_of_it_take_80_columns() {
    let everywhere = report::terminal(&three(), Width::Endless);
    assert_eq!(widest(&everywhere), 80);
    assert_eq!(report::terminal(&three(), Width::Terminal(80)), everywhere);
    let wide = report::terminal(&three(), Width::Terminal(200));
    assert_eq!(wide, everywhere, "prose is read at 80 columns");
}

#[test]
fn a_collection_has_a_column_and_a_bar() {
    let mut comparison = measured();
    for cell in &mut comparison.cells {
        let asked = cell.checkpoints.len() - 2;
        let mut collected = cell.checkpoints[asked].clone();
        collected.name = model::Moment::Collected;
        cell.checkpoints.insert(asked, collected);
    }
    let text = plain(&report::terminal(&comparison, Width::Endless));
    assert!(text.contains("├idle├act─ga"), "{text}");
    assert!(text.contains("gc, and g among the bars: after"), "{text}");
    let narrow = plain(&report::terminal(&comparison, Width::Terminal(80)));
    assert!(narrow.contains("(no room here for reuse)"), "{narrow}");
}

#[test]
fn a_narrow_terminal_gets_what_tells_most_and_hears_what_is_missing() {
    let text = plain(&report::terminal(&measured(), Width::Terminal(50)));
    let (table, _) = text.split_once("\n\n").expect("a table");
    assert_snapshot!(table);
    for columns in 24..=120 {
        let text = report::terminal(&three(), Width::Terminal(columns));
        assert!(widest(&text) <= columns, "{columns}: {text}");
        assert!(plain(&text).contains("on activity"), "{columns}: {text}");
    }
}

#[test]
fn no_column_is_left_out_where_there_is_no_terminal() {
    let mut comparison = measured();
    for cell in &mut comparison.cells {
        cell.knob = "a-knob-of-a-long-name".to_owned();
    }
    let text = plain(&report::terminal(&comparison, Width::Endless));
    assert!(widest(&text) > 80 && text.contains("reuse"), "{text}");
    assert!(!text.contains("no room"), "{text}");
}

#[test]
fn a_verdict_has_its_colour_and_is_never_red_where_all_came_back() {
    let colour = |returns: Returns| {
        let mut comparison = measured();
        comparison.cells.truncate(1);
        let verdict = comparison.cells[0].verdict.as_mut().expect("a verdict");
        verdict.returns = returns;
        let text = report::terminal(&comparison, Width::Endless);
        let words = returns.name().replace('-', " ");
        let (before, _) = text.split_once(&format!("{words}\u{1b}[0m")).expect(&words);
        let (_, code) = before.rsplit_once("\u{1b}[").expect("a colour");
        code.to_owned()
    };
    let colours = Returns::ALL.map(colour);
    assert_eq!(colours, ["32m", "36m", "33m", "35m", "31m", "31m"]);
}

/// Names that would clear the screen, begin lines, turn the text, or end a field of a table.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m|\r\n| x\u{202e}<b>`*_";

fn hostile() -> Comparison {
    let mut comparison = three();
    let name = || HOSTILE.to_owned();
    for cell in &mut comparison.cells {
        cell.allocator_title = Some(name());
        cell.scenario = name();
        cell.knob = name();
        cell.machine = Some(name());
        cell.release_call = Some(name());
    }
    let last = comparison.cells.last_mut().expect("a cell");
    last.allocator = name();
    last.status = Status::Failed;
    last.failure = Some(name());
    last.verdict = None;
    comparison
}

#[test]
fn what_names_would_make_a_terminal_do_is_shown() {
    for width in [Width::Endless, Width::Terminal(40)] {
        let text = report::terminal(&hostile(), width);
        assert!(text.contains("\\u{1b}[2J\\u{9b}31m|\\r\\n| x\\u{202e}"));
        // Of what is left some are styles, and those we know.
        for (index, _) in text.match_indices('\u{1b}') {
            let rest = &text[index + 1..];
            let ours = ["[0m", "[1m", "[31m", "[33m", "[35m"];
            assert!(ours.iter().any(|style| rest.starts_with(style)), "{rest:?}");
        }
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!plain(&text).contains(obeyed));
    }
}

#[test]
fn what_names_would_make_markdown_do_is_shown() {
    let text = report::markdown(&hostile());
    let ends = |line: &str| line.replace("\\|", "").matches('|').count();
    let tables = text.lines().filter(|line| line.starts_with('|'));
    let fields: Vec<usize> = tables.map(ends).collect();
    assert_eq!(fields, [11; 5], "head, rule and three rows: {text}");
    for markup in ["<b>", "\u{1b}", "\u{202e}", "\r"] {
        assert!(!text.contains(markup), "{markup:?}: {text}");
    }
    let shown = r"\\u{1b}\[2J\\u{9b}31m\|\\r\\n\| x\\u{202e}\<b\>\`\*\_";
    for start in ["### ", "- "] {
        let mut lines = text.lines().filter(|line| line.starts_with(start));
        assert!(lines.all(|line| line.contains(shown)), "{start}: {text}");
    }
}
