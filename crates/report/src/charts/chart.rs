//! What all charts share: an SVG of stand-ins for colours, which the page or the file then puts in their place.
//!
//! The drawing library knows colours as numbers only. So each chart is drawn in colours that stand for
//! the page's own, and these are put in their place afterwards: in the page the ink becomes `currentColor` and the
//! colour of the line n `var(--line-n)`, so that it follows the reader's light or dark; in a file each is what it is
//! on white.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::palette::{self, COLOURS};

/// Where a chart is drawn.
pub(crate) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What the backend cannot do; it writes to a string, so nothing does happen.
pub(crate) type Fault<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// The colour of letters and axes.
pub(crate) const INK: RGBColor = RGBColor(0, 0, 0);

/// How many lines have a colour of their own.
pub(crate) const LINES: usize = palette::LINES;

/// What lines are marked with, so that they are told apart without colour.
const SHAPES: [char; 3] = ['○', '▲', '✕'];

/// The letters of axes and labels, in the chart's own pixels.
pub(crate) const LETTERS: i32 = 15;

/// Whose colours a chart has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Theme {
    /// The style sheet's.
    Page,
    /// Its own: it stands alone.
    File,
}

/// Stands for the colour of the n-th line; of more lines than [`LINES`] some share one.
pub(crate) fn line(n: usize) -> RGBColor {
    stand_in(n % LINES)
}

/// The same, and that the line is dashed: it is put there with the colour, since of the library's own
/// dashes each would be an element.
pub(crate) fn dashed(n: usize) -> RGBColor {
    RGBColor(0, 2, (n % LINES) as u8)
}

/// Stands for the palette's colour at this place.
pub(super) fn stand_in(place: usize) -> RGBColor {
    RGBColor(0, 1, place as u8)
}

/// Draws a chart of this size, in pixels of its own: the page scales it.
pub(crate) fn draw(
    theme: Theme,
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Canvas<'a>) -> Result<(), Fault<'a>>,
) -> String {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw(&canvas).and_then(|()| canvas.present());
        drawn.expect("an SVG in a string has no fault");
    }
    themed(theme, &svg)
}

/// What elements repeat, and what is left of it: the style sheet, or the file's first element, says the
/// rest once.
const REPEATED: [(&str, &str); 3] = [
    (" opacity=\"1\"", ""),
    (" font-family=\"sans-serif\"", ""),
    (" xmlns=\"http://www.w3.org/2000/svg\"", ""),
];

fn themed(theme: Theme, svg: &str) -> String {
    let mut themed = coloured(theme, svg);
    for (repeated, left) in REPEATED {
        themed = themed.replace(repeated, left);
    }
    if theme == Theme::Page {
        // Of what is drawn in outlines only polylines are never filled.
        themed = themed.replace("<polyline fill=\"none\"", "<polyline");
    }
    // The library sets letters on lines of their own.
    themed.replace(">\n", ">").replace("\n</text>", "</text>")
}

/// Each stand-in replaced. No text can be taken for one: its quotation marks are escaped.
fn coloured(theme: Theme, svg: &str) -> String {
    const START: &str = "\"#000";
    let mut parts = svg.split(START);
    let mut coloured = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let colour = part.split_once('"').and_then(|(code, rest)| {
            let colour = colour(theme, code)?;
            Some((colour, rest))
        });
        match colour {
            Some((colour, rest)) => {
                coloured += &colour;
                coloured += rest;
            }
            None => {
                coloured += START;
                coloured += part;
            }
        }
    }
    coloured
}

/// What stands for the colour of these last three digits, in quotation marks.
fn colour(theme: Theme, code: &str) -> Option<String> {
    if code == "000" {
        return Some(match theme {
            Theme::Page => "\"currentColor\"".to_owned(),
            Theme::File => format!("\"{}\"", palette::INK),
        });
    }
    let (kind, place) = code.split_at_checked(1)?;
    let (name, light) = COLOURS.get(usize::from_str_radix(place, 16).ok()?)?;
    let colour = match theme {
        Theme::Page => format!("\"var(--{name})\""),
        Theme::File => format!("\"{light}\""),
    };
    match kind {
        "1" => Some(colour),
        "2" => Some(colour + " stroke-dasharray=\"9 6\""),
        _ => None,
    }
}

/// Marks the points of the n-th line, by a shape as well as by its colour.
pub(crate) fn mark<'a>(
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
pub(crate) fn shape(n: usize) -> char {
    SHAPES[n % SHAPES.len()]
}
