//! The matrix as a chart: a box for each cell, the verdict in words and in colour.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{self, Canvas, Fault, INK, LETTERS, Theme};
use super::palette;
use crate::html::escape::visible;
use crate::html::matrix::Matrix;

/// The height of a line of letters.
const LINE: i32 = 18;

/// The width of a column; that of a title, in letters.
const COLUMN: i32 = 172;
const COLUMN_LETTERS: usize = 20;

/// The width of the rows' titles, and the same in letters.
const TITLES: i32 = 232;
const TITLE_LETTERS: usize = 27;

/// The narrowest chart, for the picture's title and legend.
const NARROWEST: i32 = 960;

/// What is drawn, and its size.
pub(super) fn draw(matrix: &Matrix, theme: Theme) -> (String, (u32, u32)) {
    let columns = matrix.columns.iter().map(|c| lines(c, COLUMN_LETTERS));
    let columns: Vec<Vec<String>> = columns.collect();
    let rows = matrix.rows.iter().map(|r| lines(&r.title, TITLE_LETTERS));
    let titles: Vec<Vec<String>> = rows.collect();
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0) as i32;
    let heights: Vec<i32> = matrix.rows.iter().zip(&titles).map(height).collect();
    let width = NARROWEST.max(TITLES + COLUMN * columns.len() as i32 + 8);
    let top = tallest * LINE + 8;
    let size = (width as u32, (top + heights.iter().sum::<i32>() + 8) as u32);
    let svg = chart::draw(theme, size, |canvas| {
        for (column, lines) in columns.iter().enumerate() {
            let left = TITLES + COLUMN * column as i32 + 4;
            text(canvas, lines, left, top - lines.len() as i32 * LINE)?;
        }
        let mut top = top;
        for ((row, title), height) in matrix.rows.iter().zip(&titles).zip(&heights) {
            text(canvas, title, 8, top + 8)?;
            for (column, entry) in row.entries.iter().enumerate() {
                for (nth, mark) in entry.iter().enumerate() {
                    let corner = (TITLES + COLUMN * column as i32, top + nth as i32 * BOX);
                    let kept = mark.kept.as_deref().unwrap_or_default();
                    cell(canvas, corner, mark.class(), &mark.word(), kept)?;
                }
            }
            top += height;
        }
        Ok(())
    });
    (svg, size)
}

/// The height of a cell with what parts it from the next.
const BOX: i32 = LINE + 16;

fn height((row, title): (&crate::html::matrix::Row, &Vec<String>)) -> i32 {
    let most = row.entries.iter().map(Vec::len).max().unwrap_or(0) as i32;
    (most * BOX).max(title.len() as i32 * LINE + 12)
}

fn lines(text: &str, letters: usize) -> Vec<String> {
    let text = visible(text);
    let lines = textwrap::wrap(&text, letters).into_iter();
    lines.map(|line| line.into_owned()).collect()
}

fn text<'a>(canvas: &Canvas<'a>, lines: &[String], left: i32, top: i32) -> Result<(), Fault<'a>> {
    let letters = ("sans-serif", LETTERS).into_font().color(&INK);
    for (line, top) in lines.iter().zip((top..).step_by(LINE as usize)) {
        canvas.draw(&Text::new(line.clone(), (left, top), letters.clone()))?;
    }
    Ok(())
}

fn cell<'a>(
    canvas: &Canvas<'a>,
    (left, top): (i32, i32),
    class: &str,
    word: &str,
    kept: &str,
) -> Result<(), Fault<'a>> {
    let (right, bottom) = (left + COLUMN - 4, top + BOX - 4);
    let colour = palette::named(class).filled();
    canvas.draw(&Rectangle::new([(left, top), (right, bottom)], colour))?;
    let middle = (top + bottom) / 2;
    let letters = ("sans-serif", LETTERS).into_font().color(&INK);
    for (text, x, side) in [(word, left + 8, HPos::Left), (kept, right - 8, HPos::Right)] {
        let letters = letters.pos(Pos::new(side, VPos::Center));
        canvas.draw(&Text::new(text.to_owned(), (x, middle), letters))?;
    }
    Ok(())
}
