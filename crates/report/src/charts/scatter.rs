//! Return against cost: a point for each contestant, and the front of those that nobody beats.

use model::Tradeoff;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{self, Canvas, Fault, INK, LETTERS, Theme};
use crate::benchmark::contestant;
use crate::figures::percent;
use crate::html::escape::visible;

pub(crate) struct Scatter {
    pub(crate) svg: String,
    pub(crate) rows: Vec<Row>,
}

/// One contestant.
pub(crate) struct Row {
    pub(crate) name: String,
    /// `80 %`
    pub(crate) returned: String,
    /// `1.25`
    pub(crate) cost: String,
    pub(crate) experiments: usize,
    pub(crate) on_front: bool,
}

impl Scatter {
    /// `None` of fewer than two contestants: one has nothing to be compared with.
    pub(crate) fn of(tradeoffs: &[Tradeoff], theme: Theme) -> Option<Scatter> {
        if tradeoffs.len() < 2 {
            return None;
        }
        let row = |tradeoff: &Tradeoff| Row {
            name: name(tradeoff),
            returned: percent(tradeoff.returned),
            cost: format!("{:.2}", tradeoff.cost),
            experiments: tradeoff.experiments,
            on_front: tradeoff.on_front,
        };
        Some(Scatter {
            svg: chart::draw(theme, SIZE, |canvas| draw(canvas, tradeoffs)),
            rows: tradeoffs.iter().map(row).collect(),
        })
    }

    /// The numbers that stand beside points instead of names, with the names.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        let rows = (1..).zip(&self.rows);
        let numbered = rows.filter(|(_, row)| self.is_numbered() && !row.on_front);
        numbered.map(|(number, row)| (number, row.name.as_str()))
    }

    /// Whether some points have a number instead of a name.
    pub(crate) fn is_numbered(&self) -> bool {
        self.rows.len() > MOST_NAMES
    }
}

/// `jemalloc decay-0 on debian12`
fn name(tradeoff: &Tradeoff) -> String {
    let contestant = contestant(&tradeoff.allocator, &tradeoff.knob);
    match &tradeoff.machine {
        Some(machine) => format!("{contestant} on {machine}"),
        None => contestant,
    }
}

pub(crate) const SIZE: (u32, u32) = (960, 420);

/// Of more contestants only those on the front have their names beside them, the others their numbers.
const MOST_NAMES: usize = 16;

fn draw<'a>(canvas: &Canvas<'a>, tradeoffs: &[Tradeoff]) -> Result<(), Fault<'a>> {
    let dearest = tradeoffs.iter().map(|t| t.cost).fold(2.0, f64::max);
    let letters = ("sans-serif", LETTERS).into_font().color(&INK);
    let mut chart = ChartBuilder::on(canvas)
        .margin(12)
        .margin_top(32)
        .x_label_area_size(48)
        .y_label_area_size(64)
        // Twice the cost is as far from 1 as half of it: ratios have a logarithmic axis.
        .build_cartesian_2d(-0.05..dearest.log2() * 1.05, -0.04..1.04)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .axis_style(INK.mix(0.5))
        .label_style(letters.clone())
        .axis_desc_style(letters.clone())
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|doublings| format!("{:.2} ×", doublings.exp2()))
        .y_label_formatter(&|returned| percent(*returned))
        .x_desc("CPU time of builds and drops, over the least of any contestant")
        .y_desc("given back at the drop")
        .draw()?;
    let pixel =
        |tradeoff: &Tradeoff| chart.backend_coord(&(tradeoff.cost.log2(), tradeoff.returned));
    for front in fronts(tradeoffs) {
        let points: Vec<(i32, i32)> = front.into_iter().map(pixel).collect();
        canvas.draw(&PathElement::new(
            stairs(&points),
            INK.mix(0.5).stroke_width(2),
        ))?;
    }
    let mut allocators: Vec<&str> = Vec::new();
    let mut labels = Vec::new();
    for (number, tradeoff) in (1..).zip(tradeoffs) {
        let known = allocators
            .iter()
            .position(|name| *name == tradeoff.allocator);
        let n = known.unwrap_or(allocators.len());
        if known.is_none() {
            allocators.push(&tradeoff.allocator);
        }
        let style = match tradeoff.on_front {
            true => chart::line(n).filled(),
            false => chart::line(n).stroke_width(2),
        };
        let point = pixel(tradeoff);
        canvas.draw(&Circle::new(point, 5, style))?;
        let label = match tradeoff.on_front || tradeoffs.len() <= MOST_NAMES {
            true => visible(&name(tradeoff)),
            false => number.to_string(),
        };
        labels.push((!tradeoff.on_front, label, point));
    }
    // The front's first, so that the others get out of their way.
    labels.sort_by_key(|(off_front, ..)| *off_front);
    let mut drawn = Labels::around(labels.iter().map(|(.., point)| *point));
    for (_, label, point) in labels {
        drawn.draw(canvas, &label, point, &letters)?;
    }
    Ok(())
}

/// The front of each machine, from the cheapest on.
fn fronts(tradeoffs: &[Tradeoff]) -> Vec<Vec<&Tradeoff>> {
    let machines = tradeoffs.chunk_by(|a, b| a.machine == b.machine);
    let fronts = machines.map(|machine| {
        let mut front: Vec<&Tradeoff> = machine.iter().filter(|t| t.on_front).collect();
        front.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        front
    });
    fronts.collect()
}

/// A line that rises where something is to be had: between two contestants there is none.
fn stairs(points: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let Some(first) = points.first() else {
        return Vec::new();
    };
    let steps = points
        .windows(2)
        .flat_map(|pair| [(pair[1].0, pair[0].1), pair[1]]);
    std::iter::once(*first).chain(steps).collect()
}

/// Names beside points, each moved out of the way of the edge, of all points and of the names before it.
struct Labels {
    /// Left, right and height of what is drawn.
    taken: Vec<(i32, i32, i32)>,
}

impl Labels {
    fn around(points: impl Iterator<Item = (i32, i32)>) -> Labels {
        Labels {
            taken: points.map(|(x, y)| (x - 6, x + 6, y)).collect(),
        }
    }

    fn draw<'a>(
        &mut self,
        canvas: &Canvas<'a>,
        name: &str,
        (x, y): (i32, i32),
        letters: &TextStyle<'_>,
    ) -> Result<(), Fault<'a>> {
        let width = name.chars().count() as i32 * LETTERS * 6 / 10;
        let to_the_left = x + width + 12 > SIZE.0 as i32;
        let left = if to_the_left { x - 10 - width } else { x + 10 };
        let free = |height: i32| {
            let mut taken = self.taken.iter();
            height >= LETTERS
                && !taken
                    .any(|(l, r, h)| left < *r && *l < left + width && (height - h).abs() < LETTERS)
        };
        // Above the front's line, which passes through the point.
        let y = y - LETTERS * 2 / 3;
        let away = [0, 1, -1, 2, -2, 3, -3].map(|lines| y + lines * (LETTERS + 1));
        let height = away.into_iter().find(|height| free(*height)).unwrap_or(y);
        self.taken.push((left, left + width, height));
        let (x, side) = match to_the_left {
            true => (x - 10, HPos::Right),
            false => (x + 10, HPos::Left),
        };
        let letters = letters.pos(Pos::new(side, VPos::Center));
        canvas.draw(&Text::new(name.to_owned(), (x, height), letters))
    }
}
