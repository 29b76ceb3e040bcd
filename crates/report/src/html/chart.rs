//! What all charts share: an SVG that takes its colours and its letters from the page.
//!
//! The drawing library knows colours as numbers only. So each chart is drawn in colours that stand for
//! the page's own, and these are put in their place afterwards: the ink becomes `currentColor`, the
//! colour of the line n becomes `var(--line-n)`.

use plotters::coord::Shift;
use plotters::prelude::*;

/// Where a chart is drawn.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What the backend cannot do; it writes to a string, so nothing does happen.
pub(super) type Fault<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// The colour of letters and axes.
pub(super) const INK: RGBColor = RGBColor(0, 0, 0);

/// How many lines have a colour of their own.
pub(super) const LINES: usize = 8;

/// What lines are marked with, so that they are told apart without colour.
const SHAPES: [char; 3] = ['○', '▲', '✕'];

/// The letters of axes and labels, in the chart's own pixels.
pub(super) const LETTERS: i32 = 15;

/// Stands for the colour of the n-th line; of more lines than [`LINES`] some share one.
pub(super) fn line(n: usize) -> RGBColor {
    RGBColor(0, 1, (n % LINES) as u8)
}

/// The same, and that the line is dashed: it is put there with the colour, since of the library's own
/// dashes each would be an element.
pub(super) fn dashed(n: usize) -> RGBColor {
    RGBColor(0, 2, (n % LINES) as u8)
}

/// Draws a chart of this size, in pixels of its own: the page scales it.
pub(super) fn draw(
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Canvas<'a>) -> Result<(), Fault<'a>>,
) -> String {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw(&canvas).and_then(|()| canvas.present());
        drawn.expect("an SVG in a string has no fault");
    }
    themed(&svg)
}

/// What elements repeat, and what is left of it: the style sheet says the rest once. Of what is drawn in
/// outlines only polylines are never filled.
const REPEATED: [(&str, &str); 4] = [
    (" opacity=\"1\"", ""),
    (" font-family=\"sans-serif\"", ""),
    (" xmlns=\"http://www.w3.org/2000/svg\"", ""),
    ("<polyline fill=\"none\"", "<polyline"),
];

fn themed(svg: &str) -> String {
    let mut themed = svg.replace("\"#000000\"", "\"currentColor\"");
    for (repeated, left) in REPEATED {
        themed = themed.replace(repeated, left);
    }
    for n in 0..LINES {
        let colour = format!("\"#0001{n:02X}\"");
        let ours = format!("\"var(--line-{n})\"");
        themed = themed.replace(&colour, &ours);
        let dashes = format!("{ours} stroke-dasharray=\"9 6\"");
        themed = themed.replace(&format!("\"#0002{n:02X}\""), &dashes);
    }
    // The library sets letters on lines of their own.
    themed.replace(">\n", ">").replace("\n</text>", "</text>")
}

/// Marks the points of the n-th line, by a shape as well as by its colour.
pub(super) fn mark<'a>(
    canvas: &Canvas<'a>,
    n: usize,
    points: impl Iterator<Item = (i32, i32)>,
) -> Result<(), Fault<'a>> {
    let style = line(n).stroke_width(2);
    for point in points {
        match n % SHAPES.len() {
            0 => canvas.draw(&Circle::new(point, 4, style))?,
            1 => canvas.draw(&TriangleMarker::new(point, 5, style.filled()))?,
            _ => canvas.draw(&Cross::new(point, 4, style))?,
        }
    }
    Ok(())
}

/// The n-th line's shape as a letter.
pub(super) fn shape(n: usize) -> char {
    SHAPES[n % SHAPES.len()]
}
