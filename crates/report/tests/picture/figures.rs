//! What a chart draws are the document's figures: read back from the drawing.

use model::Cell;
use report::{Picture, Plot};
use resvg::usvg::roxmltree::{Document, Node};

use super::*;

fn attribute(node: Node, name: &str) -> f64 {
    let value = node.attribute(name).expect("the attribute");
    value.parse().expect("a number")
}

/// The lines that are as wide as this and have a point for each checkpoint.
fn lines(svg: &str, points: usize) -> Vec<Vec<(f64, f64)>> {
    let svg = Document::parse(svg).expect("XML");
    let lines = svg.descendants().filter(|n| n.has_tag_name("polyline"));
    let lines = lines.map(|line| {
        let points = line.attribute("points").expect("points").split_whitespace();
        let point = |point: &str| {
            let (x, y) = point.split_once(',').expect("a point");
            (x.parse().expect("x"), y.parse().expect("y"))
        };
        points.map(point).collect::<Vec<(f64, f64)>>()
    });
    lines.filter(|line| line.len() == points).collect()
}

#[test]
fn the_lines_of_a_curve_are_what_was_kept() {
    let comparison = measured();
    let cells: Vec<&Cell> = comparison.cells.iter().collect();
    let picture = Picture::of(&Plot::Curve(&cells), &comparison).expect("a picture");
    let lines = lines(picture.svg(), cells[0].checkpoints.len());
    assert_eq!(lines.len(), cells.len());
    // Two figures give the scale, and every other one is held against it, of all lines.
    let kept = |cell: usize, at: usize| cells[cell].checkpoints[at].kept_kib as f64;
    let (zero, top) = (lines[0][0].1, lines[0][1].1);
    let kib_each = (kept(0, 1) - kept(0, 0)) / (zero - top);
    assert!(kib_each > 0.0, "more is higher");
    for (cell, line) in lines.iter().enumerate() {
        for (at, (_, y)) in line.iter().enumerate() {
            let drawn = (zero - y) * kib_each;
            let apart = (drawn - kept(cell, at)).abs();
            assert!(apart <= 2.0 * kib_each, "{apart} KiB off at {at} of {cell}");
        }
    }
}

#[test]
fn the_bars_of_a_ledger_are_its_entries() {
    let comparison = measured();
    let cell = &comparison.cells[0];
    let picture = Picture::of(&Plot::Ledger(cell), &comparison).expect("a picture");
    let svg = Document::parse(picture.svg()).expect("XML");
    let sum = |at: usize| -> i64 { cell.checkpoints[at].ledger.iter().map(|e| e.kib).sum() };
    let shown = texts(&svg, "text");
    for at in 0..cell.checkpoints.len() {
        let mut digits = sum(at).to_string();
        for place in (1..digits.len())
            .rev()
            .filter(|p| (digits.len() - p) % 3 == 0)
            .collect::<Vec<_>>()
        {
            digits.insert(place, ',');
        }
        assert!(shown.contains(&digits), "{digits}: {shown:?}");
    }
    // Of what was alive at the first build and what fastbins held after its drop.
    let kib = |at: usize, name: &str| {
        let mut entries = cell.checkpoints[at].ledger.iter();
        entries
            .find(|entry| entry.name == name)
            .expect("an entry")
            .kib as f64
    };
    let areas = |colour: &str| -> Vec<f64> {
        let areas = svg
            .descendants()
            .filter(|n| n.attribute("fill") == Some(colour));
        let bars = areas.filter(|n| n.has_tag_name("rect") && attribute(*n, "width") > 20.0);
        bars.map(|n| attribute(n, "width")).collect()
    };
    let (alive, fastbins) = (areas("#3b6fb6"), areas("#c2410c"));
    assert_eq!(
        (alive.len(), fastbins.len()),
        (2, 1),
        "built twice, kept once"
    );
    let ratio = fastbins[0] / alive[0];
    let expected = kib(2, "malloc's fastbins") / kib(1, "alive in the scenario");
    assert!((ratio - expected).abs() < 0.01, "{ratio} for {expected}");
}

#[test]
fn the_points_of_a_tradeoff_are_its_contestants() {
    let comparison = measured();
    let tradeoffs = tradeoffs(&comparison);
    let picture = Picture::of(&Plot::Tradeoff(&tradeoffs), &comparison).expect("a picture");
    let svg = Document::parse(picture.svg()).expect("XML");
    let circles = svg.descendants().filter(|n| n.has_tag_name("circle"));
    let points: Vec<(f64, f64)> = circles
        .filter(|n| {
            n.attribute("fill") == Some("#0b62c4") || n.attribute("stroke") == Some("#c2410c")
        })
        .map(|n| (attribute(n, "cx"), attribute(n, "cy")))
        .collect();
    assert_eq!(points.len(), 2, "one filled, one an outline");
    assert!(points[0].0 < points[1].0, "the dearer is to the right");
    assert!(points[0].1 > points[1].1, "who gives back more is above");
}
