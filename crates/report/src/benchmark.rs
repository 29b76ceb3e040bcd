//! A benchmark for a terminal, best of 120 columns: three tables, a row a workload, a column a contestant.
//!
//! Ratios first, since they are what the question is; the nanoseconds behind them, with the control's ratios
//! beside, for which there is room; and what the speed was bought with, memory. Limits are no columns: they stand below, beside the workload that they
//! are the limits of.

use model::{Benchmark, Geomean, Knob, Spread, Standing, TimedContestant, TimedWorkload};

use crate::field::Field;
use crate::figures::{mebibytes, thousands};
use crate::grid::Grid;
use crate::screen::{Screen, Width};
use crate::text::shown;

const LEGEND: &str = "\
Ratio: to the fastest peer of the same round, the median of the rounds and [the least-the most]; a \
peer is every contestant but the project's own, pool. geomean: of the medians, over all workloads. \
best peer again: that peer, run once more in the round; its ratio is what chance makes of something \
as fast as the fastest. \
peak/live: the most that was resident, over the most that the workload held (from 1 MiB on). kept: \
resident when all of it had been freed. Both beyond what the program has without its allocator.";

/// Where there are limits.
const LIMITS: &str = "limit-...: what of the workload is left with no allocator between, nobody's peer \
    (docs/bench.md).";

/// The title of the table that closes with means.
const RATIO: &str = "ratio";

/// The title of the table that has room for the control.
const TIME: &str = "ns per operation";

/// A workload that holds less says nothing of an allocator's footprint.
const LEAST_LIVE_KIB: u64 = 1024;

/// For a terminal.
pub fn benchmark(document: &Benchmark, width: Width) -> String {
    if columns(document).is_empty() {
        return "nothing was measured\n".to_owned();
    }
    let mut screen = Screen::new(width);
    screen.item(&machine(document));
    screen.blank();
    tables(document, &mut screen, RATIO, &ratio);
    if let Some(mean) = control_mean(document) {
        screen.line(&mean);
    }
    screen.blank();
    tables(document, &mut screen, TIME, &time);
    let limits: Vec<String> = document.workloads.iter().flat_map(limits).collect();
    for limit in &limits {
        screen.line(limit);
    }
    screen.blank();
    tables(document, &mut screen, "peak/live, kept", &memory);
    screen.blank();
    match limits.is_empty() {
        true => screen.prose(LEGEND),
        false => screen.prose(&format!("{LEGEND} {LIMITS}")),
    }
    for failure in failures(document) {
        screen.item(&failure);
    }
    screen.into_text()
}

/// One table, or where there is no room for all contestants side by side several, one below the other.
fn tables(
    document: &Benchmark,
    screen: &mut Screen,
    title: &str,
    cell: &dyn Fn(&Place<'_>) -> String,
) {
    let mut columns = columns(document);
    if title == TIME {
        columns.extend(control(document).map(|control| control.contestant.as_str()));
    }
    let mut rest = &columns[..];
    while !rest.is_empty() {
        let table = |count: usize| table(document, &rest[..count], title, cell);
        let count = screen.width().side_by_side(rest.len(), table);
        screen.table(&table(count));
        rest = &rest[count..];
        if !rest.is_empty() {
            screen.blank();
        }
    }
}

fn table(
    document: &Benchmark,
    columns: &[&str],
    title: &str,
    cell: &dyn Fn(&Place<'_>) -> String,
) -> Grid {
    let header = [title.to_owned()].into_iter();
    let header: Vec<String> = header.chain(columns.iter().map(|c| heading(c))).collect();
    let rows = document.workloads.iter().map(|w| row(w, columns, cell));
    let means = (title == RATIO).then(|| mean_row(columns, &document.geomean_to_best_peer));
    let fields = |row: Vec<String>| row.into_iter().map(Field::from).collect();
    Grid::of_figures(&header, rows.chain(means).map(fields).collect()).dense()
}

/// A contestant in a workload.
struct Place<'a> {
    workload: &'a TimedWorkload,
    contestant: &'a TimedContestant,
}

/// The contestants that have columns, in the order in which they ran.
fn columns(document: &Benchmark) -> Vec<&str> {
    let control = control(document).map(|control| &control.contestant);
    let means = document.geomean_to_best_peer.iter();
    let columns = means.map(|mean| &mean.contestant);
    let columns = columns.filter(|column| Some(*column) != control);
    columns.map(String::as_str).collect()
}

/// The control, as it stands in the first workload that has it.
fn control(document: &Benchmark) -> Option<&TimedContestant> {
    let mut all = document.workloads.iter().flat_map(|w| &w.contestants);
    all.find(|contestant| contestant.standing == Standing::Control)
}

/// `best peer again: 1.04`
fn control_mean(document: &Benchmark) -> Option<String> {
    let name = &control(document)?.contestant;
    let mut means = document.geomean_to_best_peer.iter();
    let ratio = means.find(|mean| mean.contestant == *name)?.ratio;
    Some(format!("{name}: {}", ratio.map_or_else(dash, times)))
}

/// The allocator, and below it the knob.
fn heading(contestant: &str) -> String {
    let name = shown(contestant).replacen(' ', "\n", 1);
    name.replace('=', "=\n").replace(',', ",\n")
}

fn row(
    workload: &TimedWorkload,
    columns: &[&str],
    cell: &dyn Fn(&Place<'_>) -> String,
) -> Vec<String> {
    let figures = columns.iter().map(|column| {
        let mut there = workload.contestants.iter();
        match there.find(|contestant| contestant.contestant == *column) {
            None => dash(),
            Some(contestant) if contestant.failure.is_some() => "failed".to_owned(),
            Some(contestant) => cell(&Place {
                workload,
                contestant,
            }),
        }
    });
    [workload.name.clone()].into_iter().chain(figures).collect()
}

fn mean_row(columns: &[&str], means: &[Geomean]) -> Vec<String> {
    let figures = columns.iter().map(|column| {
        let mean = means.iter().find(|mean| mean.contestant == *column);
        let mean = mean.and_then(|mean| mean.ratio);
        let mean = mean.map_or_else(dash, times);
        format!("{mean:>4} {:11}", "") // in the place of the medians above it
    });
    ["geomean".to_owned()].into_iter().chain(figures).collect()
}

/// `1.05 [1.01-1.10]`
fn ratio(place: &Place<'_>) -> String {
    place
        .contestant
        .ratio_to_best_peer
        .map_or_else(dash, spread)
}

fn spread(Spread { min, median, max }: Spread) -> String {
    let range = format!("[{}-{}]", times(min), times(max));
    format!("{} {range:>11}", times(median))
}

/// Three digits, or all of those before the point.
fn times(ratio: f64) -> String {
    match ratio {
        ..9.995 => format!("{ratio:.2}"),
        ..99.95 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

/// The time; of the control, the ratio.
fn time(place: &Place<'_>) -> String {
    if place.contestant.standing == Standing::Control {
        return ratio(place);
    }
    let time = place.contestant.ns_per_op;
    time.map_or_else(dash, |time| nanoseconds(time.median))
}

fn nanoseconds(ns: f64) -> String {
    match ns {
        ..999.5 => times(ns),
        _ => thousands(ns.round() as u64),
    }
}

/// `1.12  3.4 MiB`
fn memory(place: &Place<'_>) -> String {
    let kept = place.contestant.kept_kib.map_or_else(dash, mebibytes);
    let live_kib = place.workload.peak_live_kib;
    let live_kib = live_kib.filter(|&live_kib| live_kib >= LEAST_LIVE_KIB);
    let footprint = place.contestant.peak_kib.zip(live_kib);
    let footprint = footprint.map(|(peak, live)| times(peak as f64 / live as f64));
    format!("{} {kept:>9}", footprint.unwrap_or_else(dash))
}

/// `int-list, limit-huge: 8.17 ns per operation, ratio 0.33 [0.31-0.40]`
fn limits(workload: &TimedWorkload) -> Vec<String> {
    let limits = workload.contestants.iter();
    let limits = limits.filter(|contestant| contestant.standing == Standing::Limit);
    let line = |limit: &TimedContestant| {
        let time = limit.ns_per_op?;
        let ratio = limit
            .ratio_to_best_peer
            .map(spread)
            .map_or_else(dash, single);
        let time = nanoseconds(time.median);
        let name = &limit.allocator;
        Some(format!(
            "{}, {name}: {time} ns, ratio {ratio}",
            workload.name
        ))
    };
    limits.filter_map(line).collect()
}

fn single(padded: String) -> String {
    padded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the figures are from, as far as it may matter to them.
fn machine(document: &Benchmark) -> String {
    let host = &document.host;
    let known = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "?".to_owned());
    format!(
        "{}, kernel {}, glibc {}, {}, {} processors, {}, huge pages {}; rounds: {}{}",
        known(&host.os),
        known(&host.kernel),
        known(&host.glibc),
        host.architecture,
        host.cpu_count,
        mebibytes(host.memory_kib as i64),
        known(&host.huge_pages),
        document.rounds,
        match document.interrupted {
            true => ", interrupted",
            false => "",
        },
    )
}

/// A line for each cell that failed.
fn failures(document: &Benchmark) -> Vec<String> {
    let cells = document.workloads.iter().flat_map(|workload| {
        let contestants = workload.contestants.iter();
        contestants.map(move |contestant| (&workload.name, contestant))
    });
    let lines = cells.filter_map(|(workload, contestant)| {
        let failure = contestant.failure.as_ref()?;
        Some(format!(
            "{workload} under {} failed: {failure}",
            contestant.contestant
        ))
    });
    lines.collect()
}

/// `jemalloc`, `jemalloc decay-0`
pub fn contestant(allocator: &str, knob: &str) -> String {
    match knob {
        Knob::DEFAULT => allocator.to_owned(),
        knob => format!("{allocator} {knob}"),
    }
}

fn dash() -> String {
    "-".to_owned()
}
