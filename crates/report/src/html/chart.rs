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

/// How many shapes of marks there are, so that lines are told apart without colour.
const SHAPES: usize = 3;

/// The letters of axes and labels, in the chart's own pixels.
pub(super) const LETTERS: i32 = 14;

/// Stands for the colour of the n-th line; of more lines than [`LINES`] some share one.
pub(super) fn line(n: usize) -> RGBColor {
    RGBColor(0, 1, (n % LINES) as u8)
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

fn themed(svg: &str) -> String {
    let mut themed = svg
        .replace("opacity=\"1\" ", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace("\"#000000\"", "\"currentColor\"");
    for n in 0..LINES {
        themed = themed.replace(
            &format!("\"#0001{n:02X}\""),
            &format!("\"var(--line-{n})\""),
        );
    }
    themed
}

/// Marks the points of the n-th line, by a shape as well as by its colour.
pub(super) fn mark<'a>(
    canvas: &Canvas<'a>,
    n: usize,
    points: impl Iterator<Item = (i32, i32)>,
    filled: bool,
) -> Result<(), Fault<'a>> {
    let style = match filled {
        true => line(n).filled(),
        false => line(n).stroke_width(2),
    };
    for point in points {
        match n % SHAPES {
            0 => canvas.draw(&Circle::new(point, 4, style))?,
            1 => canvas.draw(&TriangleMarker::new(point, 5, style))?,
            _ => canvas.draw(&Cross::new(point, 4, style))?,
        }
    }
    Ok(())
}
