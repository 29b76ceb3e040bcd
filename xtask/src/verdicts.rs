//! `cargo xtask verdicts`: when each scenario's memory comes back under each allocator, as the test suite asserts
//! it. Nothing is measured: the suite's snapshots are read.

use std::fs;
use std::path::Path;

use model::Returns;
use report::Asserted;
use suite::{Assertion, Cell};

use crate::args::{VerdictFormat, VerdictOptions};
use crate::names::{ALL, choose};
use crate::say;
use crate::stop::{Stop, cannot};
use crate::subjects;

/// Where the suite keeps them, in the workspace.
const SNAPSHOTS: &str = "tests/it/snapshots";

pub(crate) fn verdicts(options: &VerdictOptions) -> Result<(), Stop> {
    let chosen = match options.scenarios.as_slice() {
        [] => choose("scenario", &[], scenarios::CORE, |s| s.name)?,
        some if some.iter().any(|name| name == ALL) => {
            choose("scenario", &[], scenarios::RUST, |s| s.name)?
        }
        some => choose("scenario", some, scenarios::RUST, |s| s.name)?,
    };
    let snapshots = subjects::workspace()?.root.join(SNAPSHOTS);
    let cells = suite::cells();
    let rows = chosen.iter().map(|scenario| {
        let of = |cell: &&Cell| cell.scenario == scenario.name && cell.is_plain();
        let returns = cells
            .iter()
            .filter(of)
            .map(|cell| returns(&snapshots, cell));
        Ok(Asserted {
            scenario: scenario.name,
            returns: returns.collect::<Result<_, Stop>>()?,
        })
    });
    let rows = rows.collect::<Result<Vec<_>, Stop>>()?;
    let allocators = &suite::ALLOCATORS;
    match options.format {
        VerdictFormat::Table => say::screen(&report::asserted(allocators, &rows, say::width())),
        VerdictFormat::Markdown => say::result(&report::asserted_markdown(allocators, &rows)),
    }
}

/// What the cell's snapshot says.
fn returns(snapshots: &Path, cell: &Cell) -> Result<Returns, Stop> {
    let path = snapshots.join(Assertion::Verdict.file(&cell.key()));
    let text = fs::read_to_string(&path);
    let text = text.map_err(|error| Stop::Failed(cannot("read", &path, &error)))?;
    let asserted = suite::asserted(&text);
    asserted.ok_or_else(|| Stop::Failed(format!("{} asserts no verdict", path.display())))
}
