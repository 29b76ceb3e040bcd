//! A chart as a file: its figures are the document's, it stands alone, and it is the same everywhere.
//!
//! `../documents/compare.json` was measured.

mod figures;
mod pixels;

use afterdrop_report as report;
use model::{Cell, Comparison, Tradeoff};
use report::{Picture, Plot};
use resvg::usvg::roxmltree::{Document, Node};

fn measured() -> Comparison {
    serde_json::from_str(include_str!("../documents/compare.json")).expect("a comparison")
}

fn tradeoffs(comparison: &Comparison) -> Vec<Tradeoff> {
    let contestant = |(n, cell): (usize, &Cell)| Tradeoff {
        allocator: cell.allocator.clone(),
        knob: cell.knob.clone(),
        machine: None,
        experiments: 1,
        returned: 0.25 * (n + 1) as f64,
        cost: (n + 1) as f64,
        on_front: n == 0,
    };
    comparison
        .cells
        .iter()
        .enumerate()
        .map(contestant)
        .collect()
}

/// One of each kind, of the same comparison.
fn all(comparison: &Comparison) -> Vec<Picture> {
    let cells: Vec<&Cell> = comparison.cells.iter().collect();
    let tradeoffs = tradeoffs(comparison);
    let plots = [
        Plot::Curve(&cells),
        Plot::Ledger(cells[0]),
        Plot::Tradeoff(&tradeoffs),
        Plot::Matrix(&comparison.cells),
    ];
    let pictures = plots.iter().map(|plot| Picture::of(plot, comparison));
    pictures
        .map(|picture| picture.expect("a picture"))
        .collect()
}

/// The text of each element of this name.
fn texts(svg: &Document, name: &str) -> Vec<String> {
    let named = svg.descendants().filter(|node| node.has_tag_name(name));
    named
        .map(|node: Node| node.text().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_same_result_gives_the_same_bytes() {
    let (first, second) = (all(&measured()), all(&measured()));
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(a.svg(), b.svg());
        assert!(a.png() == b.png(), "other pixels");
    }
}

#[test]
fn a_picture_stands_alone_and_says_what_it_is() {
    let comparison = measured();
    let titles = [
        "int-list, size 5,120,000: kept as the run goes on",
        "int-list, size 5,120,000, under system: where each KiB was",
        "What returning costs",
        "When the memory comes back",
    ];
    for (picture, title) in all(&comparison).iter().zip(titles) {
        let svg = Document::parse(picture.svg()).expect("XML");
        assert_eq!(texts(&svg, "title"), [title]);
        assert!(texts(&svg, "text").contains(&title.to_owned()), "and seen");
        let origin = &texts(&svg, "desc")[0];
        for fact in [
            &comparison.command,
            "afterdrop 0.1.0",
            "kernel 6.18",
            "glibc 2.36",
        ] {
            assert!(origin.contains(fact), "{origin}");
        }
        for borrowed in [
            "var(",
            "currentColor",
            "class=",
            "href",
            "url(",
            "<style",
            "\"#0001",
        ] {
            assert!(!picture.svg().contains(borrowed), "{borrowed} in {title}");
        }
        let background = svg.descendants().find(|node| node.has_tag_name("rect"));
        let fill = background.and_then(|rect| rect.attribute("fill"));
        assert_eq!(fill, Some("#ffffff"));
    }
}

#[test]
fn a_legend_names_the_lines_and_the_axes_have_units() {
    let pictures = all(&measured());
    let named = |picture: usize, names: &[&str]| {
        let svg = Document::parse(pictures[picture].svg()).expect("XML");
        let texts = texts(&svg, "text");
        for name in names {
            assert!(texts.contains(&(*name).to_owned()), "{name}: {texts:?}");
        }
    };
    named(0, &["system", "jemalloc", "kept, MiB", "drop 1", "60 s"]);
    let parts = [
        "alive in the scenario",
        "malloc's fastbins",
        "rest of the process",
    ];
    named(1, &parts);
    named(1, &["resident, MiB; at the bars' ends in KiB", "drop 1"]);
    named(
        2,
        &["system", "jemalloc", "off it", "given back at the drop"],
    );
    named(3, &["system", "jemalloc", "on activity", "80 %", "81 %"]);
}

#[test]
fn whatever_a_result_says_is_shown_and_not_run() {
    let hostile =
        "]]></desc><script>alert(1)</script>\"' onload=x \u{202e}evil\n\0<!--&amp;\"#000100\"";
    let mut comparison = measured();
    comparison.command = hostile.to_owned();
    comparison.host.os = Some(hostile.to_owned());
    for cell in &mut comparison.cells {
        (cell.scenario, cell.allocator) = (hostile.to_owned(), hostile.to_owned());
        for entry in cell.checkpoints.iter_mut().flat_map(|c| &mut c.ledger) {
            entry.name = hostile.to_owned();
        }
    }
    for picture in all(&comparison) {
        let svg = Document::parse(picture.svg()).expect("XML");
        let elements: Vec<&str> = svg.descendants().map(|n| n.tag_name().name()).collect();
        assert!(!elements.contains(&"script"));
        let shown =
            "]]></desc><script>alert(1)</script>\"' onload=x [U+202E]evil␊␀<!--&amp;\"#000100\"";
        assert!(texts(&svg, "desc")[0].contains(shown));
        picture.png().expect("a PNG");
    }
}

#[test]
fn where_there_is_nothing_to_draw_there_is_no_picture() {
    let mut comparison = measured();
    let one = tradeoffs(&comparison);
    comparison.cells[0].checkpoints.clear();
    let cell = &comparison.cells[0];
    for plot in [
        Plot::Curve(&[cell]),
        Plot::Ledger(cell),
        Plot::Tradeoff(&one[..1]),
        Plot::Matrix(&[]),
    ] {
        assert!(Picture::of(&plot, &comparison).is_none());
    }
}
