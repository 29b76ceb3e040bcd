//! The results of several machines, or of one in several runs: side by side, the cells of an experiment together.
//!
//! ```text
//! all machines are alike      no two files may hold the same cell
//! else                        each cell is given its machine, whose name is the file's; no two alike may hold the same
//! ```

use std::collections::HashMap;

use model::{Cell, Comparison, Machine};

use super::{Source, joined};
use crate::difference::machine_facts;

/// The cells of all.
pub(super) fn side_by_side(mut sources: Vec<Source>) -> Result<Comparison, String> {
    if let Some(source) = sources.iter().find(|s| !s.comparison.machines.is_empty()) {
        return Err(format!(
            "{} was merged of several machines: merge what it was made from",
            source.name
        ));
    }
    refuse_doubles(&sources)?;
    let machines = match sources.iter().all(|source| are_alike(source, &sources[0])) {
        true => Vec::new(),
        false => named(&mut sources)?,
    };
    let cells = sources.iter_mut();
    let cells = cells.flat_map(|source| std::mem::take(&mut source.comparison.cells));
    let cells = by_experiment(cells.collect());
    Ok(Comparison {
        machines,
        ..joined(sources, cells)
    })
}

fn are_alike(one: &Source, other: &Source) -> bool {
    let facts = |source: &Source| machine_facts(&source.comparison.host);
    facts(one) == facts(other)
}

/// Whether two files of machines alike hold the same cell.
fn refuse_doubles(sources: &[Source]) -> Result<(), String> {
    let mut seen: HashMap<_, Vec<&Source>> = HashMap::new();
    for source in sources {
        for cell in &source.comparison.cells {
            let holders = seen.entry(cell.key()).or_default();
            // One file may hold two of one name: two builds of a subject.
            let others = holders
                .iter()
                .filter(|holder| !std::ptr::eq(**holder, source));
            if let Some(holder) = others.into_iter().find(|holder| are_alike(holder, source)) {
                return Err(format!(
                    "{} and {} both hold {} under {}, from machines that are alike: leave one out",
                    holder.name,
                    source.name,
                    cell.experiment(),
                    cell.allocator
                ));
            }
            holders.push(source);
        }
    }
    Ok(())
}

/// Gives each cell the machine that it was measured on, by the document's name.
fn named(sources: &mut [Source]) -> Result<Vec<Machine>, String> {
    let mut machines: Vec<Machine> = Vec::new();
    for source in sources {
        if machines.iter().any(|machine| machine.name == source.name) {
            return Err(format!(
                "two files are called {}, and their machines would be: rename one",
                source.name
            ));
        }
        for cell in &mut source.comparison.cells {
            cell.machine = Some(source.name.clone());
        }
        machines.push(Machine {
            name: source.name.clone(),
            command: source.comparison.command.clone(),
            host: source.comparison.host.clone(),
        });
    }
    Ok(machines)
}

/// The cells of one experiment together, these in the order in which they first come.
fn by_experiment(mut cells: Vec<Cell>) -> Vec<Cell> {
    let experiment = |cell: &Cell| (cell.experiment(), cell.size);
    let mut places = HashMap::new();
    for cell in &cells {
        let next = places.len();
        places.entry(experiment(cell)).or_insert(next);
    }
    cells.sort_by_key(|cell| places[&experiment(cell)]);
    cells
}
