//! What is kept as a run goes on: a line for each knob, dashed as it was before, and the same as a table.

use model::Cell;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{self, Canvas, Fault, INK, LETTERS, Theme};
use super::steps::{Step, steps};
use crate::figures::kib;

/// The lines of one experiment.
pub(crate) struct Curve {
    pub(crate) svg: String,
    pub(crate) keys: Vec<Key>,
    /// Each step at which any line changed; a span of time where none did.
    pub(crate) rows: Vec<Row>,
}

/// What a line looks like.
pub(crate) struct Key {
    pub(crate) shape: char,
    /// The number of its colour.
    pub(crate) colour: usize,
    /// The knob; and whether it is what was kept before.
    pub(crate) name: String,
}

pub(crate) struct Row {
    pub(crate) title: String,
    /// KiB, of each cell in its order; `-` where it has no such step.
    pub(crate) figures: Vec<String>,
}

/// What one cell kept at each step of the longest.
struct Line {
    /// The number of its colour, which a line shares with what it was before.
    n: usize,
    age: Age,
    kib: Vec<Option<i64>>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Age {
    Now,
    Before,
}

impl Curve {
    /// Of each cell, and of what it was before where that is to be shown; `None` where none of them has a
    /// checkpoint.
    pub(crate) fn of(cells: &[(&Cell, Option<&Cell>)], theme: Theme) -> Option<Curve> {
        let all = || {
            let all = cells.iter().enumerate();
            all.flat_map(|(n, (now, before))| {
                let before = before.map(|before| (n, Age::Before, before));
                [Some((n, Age::Now, *now)), before].into_iter().flatten()
            })
        };
        let (.., longest) = all().max_by_key(|(.., cell)| cell.checkpoints.len())?;
        let steps = steps(&longest.checkpoints);
        if steps.is_empty() {
            return None;
        }
        let line = |(n, age, cell)| Line {
            n,
            age,
            kib: kept(cell, &steps),
        };
        let lines: Vec<Line> = all().map(line).collect();
        Some(Curve {
            svg: chart::draw(theme, SIZE, |canvas| draw(canvas, &steps, &lines)),
            keys: all().map(key).collect(),
            rows: rows(&steps, &lines),
        })
    }
}

fn key((line, age, cell): (usize, Age, &Cell)) -> Key {
    let (shape, name) = match age {
        Age::Now => (chart::shape(line), cell.knob.clone()),
        Age::Before => ('╌', format!("{}, before", cell.knob)),
    };
    Key {
        shape,
        colour: line % chart::LINES,
        name,
    }
}

fn kept(cell: &Cell, steps: &[Step]) -> Vec<Option<i64>> {
    let own = self::steps(&cell.checkpoints);
    let kept = |step: &Step| {
        let place = own.iter().position(|own| own.is(step))?;
        Some(cell.checkpoints[place].kept_kib)
    };
    steps.iter().map(kept).collect()
}

fn rows(steps: &[Step], lines: &[Line]) -> Vec<Row> {
    let at = |place: usize| lines.iter().map(move |line| line.kib[place]);
    let places: Vec<usize> = (0..steps.len()).collect();
    let spans = places.chunk_by(|a, b| steps[*a].moment == steps[*b].moment && at(*a).eq(at(*b)));
    let row = |span: &[usize]| {
        let figures = at(span[0]).map(|kept| kept.map_or("-".to_owned(), kib));
        Row {
            title: steps[span[0]].to(&steps[span[span.len() - 1]]),
            figures: figures.collect(),
        }
    };
    spans.map(row).collect()
}

pub(crate) const SIZE: (u32, u32) = (960, 340);

fn draw<'a>(canvas: &Canvas<'a>, steps: &[Step], lines: &[Line]) -> Result<(), Fault<'a>> {
    let kept = || {
        lines
            .iter()
            .flat_map(|line| &line.kib)
            .filter_map(|kib| *kib)
    };
    let most_kib = kept().max().unwrap_or(0).max(4);
    let least_kib = kept().min().unwrap_or(0).min(0);
    let (unit, kib_each) = match most_kib {
        ..2048 => ("KiB", 1.0),
        _ => ("MiB", 1024.0),
    };
    let letters = ("sans-serif", LETTERS).into_font().color(&INK);
    let mut chart = ChartBuilder::on(canvas)
        .margin(8)
        .margin_top(24)
        .x_label_area_size(28)
        .y_label_area_size(72)
        .build_cartesian_2d(
            -0.5..steps.len() as f64 - 0.5,
            least_kib as f64 / kib_each..most_kib as f64 / kib_each * 1.06,
        )?;
    let mesh = &mut chart.configure_mesh();
    mesh.disable_x_mesh()
        .disable_x_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK.mix(0.5))
        .label_style(letters.clone())
        .axis_desc_style(letters.clone())
        .y_labels(6)
        .y_label_formatter(&|kept| format!("{kept:.0}"))
        .y_desc(format!("kept, {unit}"));
    mesh.draw()?;
    let pixel =
        |place: usize, kib: i64| chart.backend_coord(&(place as f64, kib as f64 / kib_each));
    let width = pixel(1, 0).0 - pixel(0, 0).0;
    label(
        canvas,
        steps,
        &|place| pixel(place, 0).0,
        width,
        letters.clone(),
    )?;
    let points = |line: &Line| -> Vec<(i32, i32)> {
        let places = line.kib.iter().enumerate();
        let points = places.filter_map(|(place, kib)| Some(pixel(place, (*kib)?)));
        points.collect()
    };
    let several = lines.iter().any(|line| line.n > 0);
    for line in lines {
        let points = points(line);
        let style = match line.age {
            Age::Now => chart::line(line.n).stroke_width(3),
            Age::Before => chart::dashed(line.n).stroke_width(3),
        };
        canvas.draw(&PathElement::new(points.clone(), style))?;
        if several && line.age == Age::Now {
            chart::mark(canvas, line.n, points.into_iter())?;
        }
    }
    for pair in lines.windows(2).filter(|pair| pair[1].age == Age::Before) {
        let text = match several {
            true => format!("{} before", chart::shape(pair[0].n)),
            false => "before".to_owned(),
        };
        let place = farthest(&pair[0].kib, &pair[1].kib);
        if let Some((x, y)) = place.and_then(|place| Some(pixel(place, pair[1].kib[place]?))) {
            let letters = letters.pos(Pos::new(HPos::Center, VPos::Bottom));
            canvas.draw(&Text::new(text, (x, y - 5), letters))?;
        }
    }
    Ok(())
}

/// Where a line is farthest from what it was, and a name beside it is read as that of one of them.
fn farthest(now: &[Option<i64>], before: &[Option<i64>]) -> Option<usize> {
    let apart = |place: &usize| {
        let (now, before) = (now[*place].unwrap_or(0), before[*place].unwrap_or(0));
        now.abs_diff(before)
    };
    let places = (0..now.len()).filter(|place| before[*place].is_some());
    places.rev().max_by_key(apart)
}

/// Each step below its place, and what a span of time was spent with above it.
fn label<'a>(
    canvas: &Canvas<'a>,
    steps: &[Step],
    x: &dyn Fn(usize) -> i32,
    width: i32,
    letters: TextStyle<'_>,
) -> Result<(), Fault<'a>> {
    let letters = letters.pos(Pos::new(HPos::Center, VPos::Top));
    let (bottom, top) = (SIZE.1 as i32 - 36, 24);
    for (place, step) in steps.iter().enumerate() {
        canvas.draw(&Text::new(
            step.short.clone(),
            (x(place), bottom + 8),
            letters.clone(),
        ))?;
    }
    let places: Vec<usize> = (0..steps.len()).collect();
    for span in places.chunk_by(|a, b| steps[*a].moment == steps[*b].moment) {
        if span.len() > 1 {
            let (left, right) = (
                x(span[0]) - width / 2 + 2,
                x(span[span.len() - 1]) + width / 2 - 2,
            );
            let band = Rectangle::new([(left, top), (right, bottom)], INK.mix(0.06).filled());
            canvas.draw(&band)?;
            let name = steps[span[0]].moment.name();
            canvas.draw(&Text::new(name, ((left + right) / 2, 4), letters.clone()))?;
        }
    }
    Ok(())
}
