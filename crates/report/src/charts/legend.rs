//! The legend of a picture: a name for each line or area, with the sign that the chart has for it.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{self, Canvas, Fault, INK, LETTERS};
use crate::html::escape::visible;

/// Names beside each other, in as many lines as they take.
pub(super) struct Legend {
    /// Where each begins.
    places: Vec<(i32, i32, Sign, String)>,
    bottom: i32,
}

/// What stands before a name in the legend.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    Line(usize),
    Area(RGBColor),
    Filled,
    Outlined,
    Nothing,
}

/// The height of a line.
const LINE: i32 = 24;

impl Legend {
    /// From this height on, and as wide as the chart.
    pub(super) fn of(entries: &[(Sign, String)], top: i32, width: u32) -> Legend {
        let (mut x, mut lines) = (12, 1);
        let mut places = Vec::new();
        for (sign, name) in entries {
            let name = shortened(&visible(name), width - 60, 9);
            let wide = 32 + name.chars().count() as i32 * 7 + 16;
            if x > 12 && x + wide > width as i32 {
                (x, lines) = (12, lines + 1);
            }
            places.push((x, top + LINE * (lines - 1) + LINE / 2, *sign, name));
            x += wide;
        }
        let bottom = top + LINE * lines;
        Legend { places, bottom }
    }

    /// Where it ends.
    pub(super) fn bottom(&self) -> i32 {
        self.bottom
    }

    pub(super) fn draw<'a>(&self, canvas: &Canvas<'a>) -> Result<(), Fault<'a>> {
        let letters = ("sans-serif", LETTERS).into_font().color(&INK);
        let letters = letters.pos(Pos::new(HPos::Left, VPos::Center));
        for (x, y, sign, name) in &self.places {
            let (x, y) = (*x, *y);
            let mut text = x + 32;
            match *sign {
                Sign::Line(n) => {
                    let line = chart::line(n).stroke_width(3);
                    canvas.draw(&PathElement::new(vec![(x, y), (x + 26, y)], line))?;
                    chart::mark(canvas, n, std::iter::once((x + 13, y)))?;
                }
                Sign::Area(colour) => {
                    let corners = [(x + 8, y - 7), (x + 24, y + 7)];
                    canvas.draw(&Rectangle::new(corners, colour.filled()))?;
                }
                Sign::Filled => canvas.draw(&Circle::new((x + 16, y), 5, INK.filled()))?,
                Sign::Outlined => canvas.draw(&Circle::new((x + 16, y), 5, INK.stroke_width(2)))?,
                Sign::Nothing => text = x,
            }
            canvas.draw(&Text::new(name.clone(), (text, y), letters.clone()))?;
        }
        Ok(())
    }
}

/// So much of a line as fits into this width, in letters as wide.
pub(super) fn shortened(text: &str, width: u32, letter: u32) -> String {
    let most = (width / letter) as usize;
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
