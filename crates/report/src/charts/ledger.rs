//! A cell's ledgers, one below the other: bars as long as what was resident, and the KiB behind them.

use std::collections::HashMap;

use model::{Cell, Checkpoint, Entry};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{self, Canvas, Fault, INK, LETTERS, Theme};
use super::palette;
use super::steps::steps;
use crate::figures::kib;

/// A row for each checkpoint; for a span of time where nothing changed.
pub(crate) struct Ledger<'a> {
    /// Without those that are 0 throughout.
    pub(crate) parts: Vec<Part<'a>>,
    pub(crate) rows: Vec<Row>,
    /// What a whole bar stands for, KiB.
    longest_kib: i64,
}

/// A kind of memory: a column, and a piece of each bar.
pub(crate) struct Part<'a> {
    pub(crate) entry: &'a Entry,
    /// Its class in the style sheet.
    pub(crate) class: String,
}

pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) pieces: Vec<Piece>,
    /// KiB of each part.
    pub(crate) figures: Vec<String>,
    /// Their sum, KiB.
    pub(crate) resident: String,
    /// What is kept, KiB.
    pub(crate) kept: String,
}

/// One part's piece of a bar.
pub(crate) struct Piece {
    /// Which part.
    pub(crate) part: usize,
    /// Of the longest bar, in per cent.
    pub(crate) width: f64,
}

/// Shorter pieces would not be seen, in per cent.
const SHORTEST: f64 = 0.3;

/// What the class of an allocator's own part begins with.
const OWN_PART: &str = "own-";

/// Colours of the allocators' own parts; of more parts some share one.
const OWN: usize = 6;

impl Ledger<'_> {
    pub(crate) fn of(cell: &Cell) -> Ledger<'_> {
        let checkpoints = &cell.checkpoints;
        let parts = parts(checkpoints);
        let figures =
            |c: &Checkpoint| -> Vec<i64> { parts.iter().map(|(i, _)| figure(c, *i)).collect() };
        let longest_kib = checkpoints.iter().map(sum).max().unwrap_or(0).max(1);
        let steps = steps(checkpoints);
        let places: Vec<usize> = (0..checkpoints.len()).collect();
        let same = |a: &Checkpoint, b: &Checkpoint| {
            (a.name, a.kept_kib) == (b.name, b.kept_kib) && figures(a) == figures(b)
        };
        let spans = places.chunk_by(|a, b| same(&checkpoints[*a], &checkpoints[*b]));
        let row = |span: &[usize]| {
            let checkpoint = &checkpoints[span[0]];
            let figures = figures(checkpoint);
            let pieces = figures.iter().enumerate().map(|(part, kib)| Piece {
                part,
                width: *kib as f64 / longest_kib as f64 * 100.0,
            });
            Row {
                title: steps[span[0]].to(&steps[span[span.len() - 1]]),
                pieces: pieces.filter(|piece| piece.width >= SHORTEST).collect(),
                figures: figures.iter().copied().map(kib).collect(),
                resident: kib(sum(checkpoint)),
                kept: kib(checkpoint.kept_kib),
            }
        };
        Ledger {
            rows: spans.map(row).collect(),
            parts: parts.into_iter().map(|(_, part)| part).collect(),
            longest_kib,
        }
    }

    /// The parts that are long enough for a piece of any bar, and their colours: in a chart the allocator's own
    /// are numbered among these, so that fewer share one than in the table, which names all of them.
    pub(crate) fn drawn(&self) -> Vec<(usize, RGBColor)> {
        let pieces = || self.rows.iter().flat_map(|row| &row.pieces);
        let seen = |part: &usize| pieces().any(|piece| piece.part == *part);
        let mut own = 0..;
        let colour = |part: usize| match &self.parts[part].class {
            class if class.starts_with(OWN_PART) => {
                // The lines' colours, but for the first, which what is alive is like.
                chart::line(1 + own.next().unwrap_or(0) % OWN)
            }
            class => palette::named(class),
        };
        let parts: Vec<usize> = (0..self.parts.len()).filter(seen).collect();
        let colours: Vec<RGBColor> = parts.iter().copied().map(colour).collect();
        parts.into_iter().zip(colours).collect()
    }

    /// The same as a chart, and its size. The page needs none: there the bars stand in the table.
    pub(crate) fn chart(&self, theme: Theme) -> (String, (u32, u32)) {
        let height = AXES + ROW * self.rows.len() as i32;
        let size = (WIDTH, height as u32);
        let svg = chart::draw(theme, size, |canvas| draw(canvas, self));
        (svg, size)
    }
}

const WIDTH: u32 = 960;

/// The height of a row, in pixels.
const ROW: i32 = 26;

/// What the axis takes below the rows, and the margin above them.
const AXES: i32 = 64;

fn draw<'a>(canvas: &Canvas<'a>, ledger: &Ledger) -> Result<(), Fault<'a>> {
    let letters = ("sans-serif", LETTERS).into_font().color(&INK);
    let (unit, kib_each) = match ledger.longest_kib {
        ..2048 => ("KiB", 1.0),
        _ => ("MiB", 1024.0),
    };
    let whole = ledger.longest_kib as f64 / kib_each;
    let mut chart = ChartBuilder::on(canvas)
        .margin(8)
        .margin_right(112)
        .x_label_area_size(48)
        .y_label_area_size(176)
        .build_cartesian_2d(0.0..whole, 0.0..ledger.rows.len() as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK.mix(0.5))
        .label_style(letters.clone())
        .axis_desc_style(letters.clone())
        .y_labels(0)
        .x_labels(6)
        .x_label_formatter(&|size| format!("{size:.0}"))
        .x_desc(format!("resident, {unit}; at the bars' ends in KiB"))
        .draw()?;
    let (left, right) = (
        chart.backend_coord(&(0.0, 0.0)).0,
        chart.backend_coord(&(whole, 0.0)).0,
    );
    let title = letters.pos(Pos::new(HPos::Right, VPos::Center));
    let colours: HashMap<usize, RGBColor> = ledger.drawn().into_iter().collect();
    let figure = letters.pos(Pos::new(HPos::Left, VPos::Center));
    for (row, top) in ledger.rows.iter().zip((8..).step_by(ROW as usize)) {
        let middle = top + ROW / 2;
        let at = |text: &str, x: i32, letters: &TextStyle<'_>| {
            canvas.draw(&Text::new(text.to_owned(), (x, middle), letters.clone()))
        };
        at(&row.title, left - 8, &title)?;
        let mut end = f64::from(left);
        for piece in &row.pieces {
            let start = end;
            end += piece.width / 100.0 * f64::from(right - left);
            let corners = [
                (start.round() as i32, top + 4),
                (end.round() as i32, top + ROW - 4),
            ];
            canvas.draw(&Rectangle::new(corners, colours[&piece.part].filled()))?;
        }
        at(&row.resident, end as i32 + 8, &figure)?;
    }
    Ok(())
}

/// Each part that is anything at any checkpoint, with its place in the ledgers.
fn parts(checkpoints: &[Checkpoint]) -> Vec<(usize, Part<'_>)> {
    let longest = checkpoints
        .iter()
        .max_by_key(|checkpoint| checkpoint.ledger.len());
    let entries = longest.map_or(&[][..], |checkpoint| &checkpoint.ledger);
    let mut own = 0..;
    let mut parts = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let class = match entry.name.as_str() {
            Entry::ALIVE => "alive".to_owned(),
            Entry::ROUNDING => "rounding".to_owned(),
            Entry::LAZILY_FREED => "lazily".to_owned(),
            Entry::REST => "rest".to_owned(),
            Entry::UNEXPLAINED => "unexplained".to_owned(),
            _ => format!("{OWN_PART}{}", own.next().unwrap_or(0) % OWN),
        };
        if checkpoints
            .iter()
            .any(|checkpoint| figure(checkpoint, place) != 0)
        {
            parts.push((place, Part { entry, class }));
        }
    }
    parts
}

fn figure(checkpoint: &Checkpoint, place: usize) -> i64 {
    checkpoint.ledger.get(place).map_or(0, |entry| entry.kib)
}

fn sum(checkpoint: &Checkpoint) -> i64 {
    let kib = checkpoint.ledger.iter().map(|entry| entry.kib);
    kib.fold(0, i64::saturating_add) // a document may say anything
}
