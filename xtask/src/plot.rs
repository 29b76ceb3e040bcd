//! `cargo xtask plot`: one chart of an earlier result as a file of its own.

use std::path::Path;

use model::{Cell, Comparison, Knob};
use report::{Picture, Plot};

use crate::args::{DEFAULT_OUT, PlotOptions, What};
use crate::names::{ALL, unknown};
use crate::output::Output;
use crate::stop::{Stop, cannot};
use crate::{documents, say, subjects};

pub(crate) fn plot(options: &PlotOptions) -> Result<(), Stop> {
    let format = Format::of(&options.out)?;
    let path = match &options.result {
        Some(path) => path.clone(),
        None => subjects::workspace()?.root.join(DEFAULT_OUT),
    };
    let comparison = documents::comparison(&path)?;
    let picture = picture(options, &path, &comparison)?;
    let output = Output::prepare(&options.out)?;
    let file = match format {
        Format::Svg => picture.svg().as_bytes().to_owned(),
        Format::Png => picture
            .png()
            .map_err(|why| Stop::BadInput(cannot("write", &options.out, &why)))?,
    };
    let written = output.write(&file)?;
    say::aside(&format_args!("{}", written.display()));
    Ok(())
}

enum Format {
    Svg,
    Png,
}

impl Format {
    /// By the file's ending.
    fn of(path: &Path) -> Result<Format, Stop> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("svg") => Ok(Format::Svg),
            Some("png") => Ok(Format::Png),
            _ => {
                let why = "its name ends neither in .svg nor in .png";
                Err(Stop::BadInput(cannot("write", path, &why)))
            }
        }
    }
}

/// What of a cell a choice is about; `None` of one that has none.
type Of = fn(&Cell) -> Option<String>;

/// What there is to choose by, in the order in which it is.
const KINDS: [(&str, Of); 5] = [
    ("scenario", |cell| Some(cell.scenario.clone())),
    ("python", |cell| {
        Some(cell.python.as_ref()?.replace(" 32-bit", "-32"))
    }),
    ("allocator", |cell| Some(cell.allocator.clone())),
    ("machine", |cell| cell.machine.clone()),
    ("knob", |cell| Some(cell.knob.clone())),
];

/// The cells that fit the selection, of which there is at least one.
fn chosen<'a>(
    options: &PlotOptions,
    file: &Path,
    comparison: &'a Comparison,
) -> Result<Vec<&'a Cell>, Stop> {
    let mut cells: Vec<&Cell> = comparison.cells.iter().collect();
    if cells.is_empty() {
        return Err(Stop::BadInput(cannot("plot", file, &"it has no cell")));
    }
    let wanted = [
        &options.scenarios,
        &options.pythons,
        &options.allocators,
        &options.machines,
        &options.knobs,
    ];
    for ((kind, of), wanted) in KINDS.into_iter().zip(wanted) {
        if wanted.is_empty() || wanted.iter().any(|name| name == ALL) {
            continue;
        }
        // Of what the choices before have left: a name is refused with what it could have been.
        let there = distinct(cells.iter().filter_map(|cell| of(cell)));
        let there: Vec<&str> = there.iter().map(String::as_str).collect();
        if let Some(name) = wanted.iter().find(|name| !there.contains(&name.as_str())) {
            return Err(Stop::BadInput(match there.is_empty() {
                true => format!("there is no {kind} to choose by in {}", file.display()),
                false => unknown(kind, name, &there),
            }));
        }
        cells.retain(|cell| of(cell).is_some_and(|name| wanted.contains(&name)));
    }
    Ok(cells)
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

fn picture(options: &PlotOptions, file: &Path, comparison: &Comparison) -> Result<Picture, Stop> {
    let cells = chosen(options, file, comparison)?;
    let cut = |cells: Vec<&Cell>| Comparison {
        cells: cells.into_iter().cloned().collect(),
        ..comparison.clone()
    };
    let (picture, lacking) = match options.what {
        What::Curve => {
            let kinds = &KINDS[..2]; // lines are named by all others
            one(&cells, kinds, "a curve is of one experiment")?;
            let allocators = distinct(cells.iter().map(|cell| cell.allocator.clone()));
            let lines = match &allocators[..] {
                [_] => cells,
                _ => as_they_come(options, cells),
            };
            let picture = Picture::of(&Plot::Curve(&lines), comparison);
            (picture, "no checkpoint was reached")
        }
        What::Ledger => {
            let cells = as_they_come(options, cells);
            let cell = one(&cells, &KINDS, "a ledger is of one cell")?;
            let picture = Picture::of(&Plot::Ledger(cell), comparison);
            (picture, "no ledger was taken")
        }
        What::Tradeoff => {
            let tradeoffs = oracle::tradeoffs(&cut(cells)).contestants;
            let picture = Picture::of(&Plot::Tradeoff(&tradeoffs), comparison);
            let lacking = "it takes two contestants that were measured to the end";
            (picture, lacking)
        }
        What::Matrix => {
            let cells = cut(cells).cells;
            let picture = Picture::of(&Plot::Matrix(&cells), comparison);
            (picture, "there is no cell")
        }
    };
    picture.ok_or_else(|| Stop::BadInput(cannot("plot", file, &lacking)))
}

/// Without the cells of knobs, unless knobs were chosen or there is nothing else.
fn as_they_come<'a>(options: &PlotOptions, cells: Vec<&'a Cell>) -> Vec<&'a Cell> {
    let default = |cell: &&Cell| cell.knob == Knob::DEFAULT;
    match options.knobs.is_empty() && cells.iter().any(default) {
        true => cells.into_iter().filter(default).collect(),
        false => cells,
    }
}

/// The first of cells that differ in none of these kinds, nor in what cannot be chosen by.
fn one<'a>(cells: &[&'a Cell], kinds: &[(&str, Of)], why: &str) -> Result<&'a Cell, Stop> {
    for (kind, of) in kinds {
        let there = distinct(cells.iter().filter_map(|cell| of(cell)));
        if there.len() > 1 {
            let names = there.join(", ");
            let line = format!("{why}: choose by --{kind} among {names}");
            return Err(Stop::BadInput(line));
        }
    }
    let walk = |cell: &Cell| (cell.size, cell.seed, cell.conditions);
    match cells.iter().all(|cell| walk(cell) == walk(cells[0])) {
        true => Ok(cells[0]),
        false => Err(Stop::BadInput(format!(
            "{why}: these differ in size, seed or conditions; measure again with one of each"
        ))),
    }
}
