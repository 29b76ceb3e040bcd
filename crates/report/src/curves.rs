//! Retention curves for a terminal: for each mode a table of figures, a column for each curve, and
//! then all curves as bars, a row each, over a logarithmic axis.

use model::{Conditions, Curve, Curves, Mode, Moment, Point};

use crate::field::Field;
use crate::figures::{bar, duration, percent, thousands};
use crate::grid::Grid;
use crate::rows::name;
use crate::screen::{Screen, Width};
use crate::text::shown;

const LEGEND: &str = "\
KiB kept from the last drop on, and the part of what the object occupied when it was \
first built; times at which no figure changed are left out. t50, t90: the first of all \
times at which half, and nine tenths, of what was dropped had come back. Bars: eighths \
of what was occupied; a dot is less than half of one.";

/// Under host conditions the work between two readings takes time as well.
const REAL_TIME: &str = "\
In real time a reading is taken somewhat later than its row says; t50 and t90 go by the \
subject's own clock, which the JSON has for every point.";

/// Curves that stand side by side, where there is room for them.
const SIDE_BY_SIDE: usize = 5;

/// For a terminal.
pub fn curves(document: &Curves, width: Width) -> String {
    let mut screen = Screen::new(width);
    for mode in Mode::ALL {
        let curves: Vec<&Curve> = document.curves.iter().filter(|c| c.mode == mode).collect();
        let mut rest = &curves[..];
        while !rest.is_empty() {
            let most = rest.len().min(SIDE_BY_SIDE);
            let count = width.side_by_side(most, |count| table(document, &rest[..count]));
            let (curves, others) = rest.split_at(count);
            screen.heading(&title(curves[0]));
            screen.table(&table(document, curves));
            screen.blank();
            rest = others;
        }
    }
    plot(document, &mut screen);
    screen.blank();
    screen.prose(LEGEND);
    let is_real = |curve: &Curve| curve.cell.conditions == Conditions::Host;
    if document.curves.iter().any(is_real) {
        screen.prose(REAL_TIME);
    }
    screen.into_text()
}

/// What letting the clock run took.
pub fn real_time(document: &Curves) -> String {
    format!(
        "{} curves over {} of the clock: {:.0} ms of real time after the drops, in all",
        document.curves.len(),
        document
            .times_ms
            .last()
            .copied()
            .map_or_else(String::new, duration),
        document.timings.after_drop_ms,
    )
}

/// `int-list, size 5,120,000, idle`
fn title(curve: &Curve) -> String {
    let cell = &curve.cell;
    let size = thousands(cell.size);
    format!("{}, size {size}, {}", cell.experiment(), curve.mode.name())
}

fn table(document: &Curves, curves: &[&Curve]) -> Grid {
    let row = |title: &str, figure: &dyn Fn(&Curve) -> String| -> Vec<String> {
        let figures = curves.iter().map(|curve| figure(curve));
        [title.to_owned()].into_iter().chain(figures).collect()
    };
    let mut rows = vec![row("occupied", &occupied)];
    let last = document.times_ms.len() - 1;
    for (index, &time_ms) in document.times_ms.iter().enumerate() {
        let changed = |curve: &&Curve| {
            let before = index
                .checked_sub(1)
                .and_then(|before| curve.points.get(before));
            before.map(|p| p.kept_kib) != curve.points.get(index).map(|p| p.kept_kib)
        };
        if index == last || curves.iter().any(changed) {
            rows.push(row(&label(time_ms), &|c| kept(c.points.get(index))));
        }
    }
    rows.push(row("t50", &|curve| reached(curve, curve.t50_ms)));
    rows.push(row("t90", &|curve| reached(curve, curve.t90_ms)));
    let fields = |row: Vec<String>| row.into_iter().map(Field::from).collect();
    let rows = rows.into_iter().map(fields).collect();
    Grid::of_figures(&row("clock", &heading), rows)
}

fn label(time_ms: u64) -> String {
    match time_ms {
        0 => "drop".to_owned(),
        _ => duration(time_ms),
    }
}

/// The allocator, and below it the knob, which may be long.
fn heading(curve: &Curve) -> String {
    let name = shown(&name(&curve.cell)).replacen(' ', "\n", 1);
    name.replace('=', "=\n").replace(',', ",\n")
}

fn occupied(curve: &Curve) -> String {
    let mut checkpoints = curve.cell.checkpoints.iter();
    let built = checkpoints.find(|checkpoint| checkpoint.name == Moment::Built);
    built.map_or_else(dash, |built| kib(built.kept_kib, "100 %"))
}

fn kept(point: Option<&Point>) -> String {
    let part = |point: &Point| point.kept_fraction.map_or_else(dash, percent);
    point.map_or_else(dash, |point| kib(point.kept_kib, &part(point)))
}

/// `160,004  80 %`
fn kib(kib: i64, part: &str) -> String {
    let sign = if kib < 0 { "-" } else { "" };
    format!("{sign}{} {part:>6}", thousands(kib.unsigned_abs()))
}

fn reached(curve: &Curve, time_ms: Option<u64>) -> String {
    match (time_ms, &curve.cell.failure) {
        (Some(ms), _) => label(ms),
        (None, None) => "never".to_owned(),
        (None, Some(_)) => "failed".to_owned(),
    }
}

fn dash() -> String {
    "-".to_owned()
}

/// Every curve as bars of its own, below a common axis.
fn plot(document: &Curves, screen: &mut Screen) {
    const NAME_COLUMNS: usize = 30;
    const PLOT_COLUMNS: usize = 66;
    let short = |curve: &Curve| -> String {
        let name = shown(&name(&curve.cell));
        name.chars().take(NAME_COLUMNS).collect()
    };
    let names = document.curves.iter().map(short);
    let titles = names.chain(Mode::ALL.map(|mode| mode.name().to_owned()));
    let columns = titles.map(|title| title.chars().count());
    let margin = columns.max().unwrap_or(0);
    let room = screen.width().table().saturating_sub(margin + 1);
    let width = (room.min(PLOT_COLUMNS) / document.times_ms.len()).clamp(1, 6);
    for mode in Mode::ALL {
        let axis = axis(&document.times_ms, width);
        screen.line(&format!("{:margin$} {axis}", mode.name()));
        for curve in document.curves.iter().filter(|c| c.mode == mode) {
            let bars = curve.points.iter().map(|point| {
                let bar = bar(point.kept_fraction.unwrap_or(0.0));
                bar.to_string().repeat(width)
            });
            let row = format!("{:margin$} {}", short(curve), bars.collect::<String>());
            screen.line(row.trim_end());
        }
    }
}

/// A label over the drop and over each power of ten, where there is room for it.
fn axis(times_ms: &[u64], width: usize) -> String {
    let mut axis = String::new();
    for (index, &time_ms) in times_ms.iter().enumerate() {
        let last = index + 1 == times_ms.len();
        let labelled = last || time_ms == 0 || 10_u64.pow(time_ms.ilog10()) == time_ms;
        let column = index * width;
        let there = axis.chars().count();
        if labelled && (there == 0 || there < column) {
            axis += &format!("{:1$}", "", column - there);
            axis += &match time_ms {
                0 => "0".to_owned(),
                _ => duration(time_ms).replace(' ', ""),
            };
        }
    }
    axis
}
