//! What is asserted of each cell, and what must break it.
//!
//! Of every cell it is asserted that its ledgers leave nothing unexplained ([`ledger`]), and two texts
//! ([`Assertion`]), which `tests/it/retention.rs` holds against snapshots. A text that comes out the same whatever the allocator does asserts nothing, so every
//! cell has its [`Control`], a knob or a planted fault under which both must come out otherwise:
//! `cargo xtask controls` tries them. The tables of both stand in `cells.rs`.
//!
//! This crate runs nothing: it says what is to be run, and turns checkpoints into texts.

mod assertion;
mod cells;
pub mod ledger;

use model::Knob;

pub use assertion::{Assertion, asserted};
pub use cells::{ALLOCATORS, KNOBS, PYTHON, SCENARIOS, TURNED, cells};

/// The faults of the memory, as the test-only subject `planted-fault` knows them.
pub const FAULTS: [&str; 10] = [
    "keeps",
    "keeps-mappings",
    "keeps-half",
    "late",
    "leaks",
    "takes-at-build",
    "rebounds",
    "apart",
    "lazy",
    "claims-half",
];

/// A cell of which something is asserted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cell {
    /// The scenario's name; it is built in its default size.
    pub scenario: &'static str,
    /// The Python that it runs in, as one types it; `None` of a scenario that is none of Python's.
    pub python: Option<&'static str>,
    /// The allocator's name.
    pub allocator: &'static str,
    /// The knob's name in the allocator's catalogue, or [`Knob::DEFAULT`].
    pub knob: &'static str,
    /// What must break the assertions.
    pub control: Control<'static>,
}

/// What must break the assertions of a cell.
///
/// What gives memory back late has a knob that makes it early. What gives it back at once has none
/// that would make it late: there the same allocator is wrapped, and a fault planted in the wrapper.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Control<'a> {
    /// Another knob of the same allocator, by its name in the catalogue, or [`Knob::DEFAULT`].
    Knob(&'a str),
    /// A fault of the memory that the test-only subject knows by this name.
    Fault(&'a str),
}

/// The two runs of a control: the cell as it usually is, and as it is not to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// Whether both are run on the subject with planted faults, instead of the allocator's own.
    pub planted: bool,
    /// The one.
    pub usual: Knob,
    /// The other.
    pub turned: Knob,
}

impl Cell {
    /// The name in snapshots: `int-list_system`, `int-list_system_caches-off`, or, of one of Python's,
    /// `python-int-list-2.4-32_system`.
    pub fn key(&self) -> String {
        let mut key = self.scenario.to_owned();
        if let Some(python) = self.python {
            key += &format!("-{python}");
        }
        key += &format!("_{}", self.allocator);
        if self.knob != Knob::DEFAULT {
            key += &format!("_{}", self.knob);
        }
        key
    }

    /// Whether the allocator is as it comes, and the scenario none of Python's.
    pub fn is_plain(&self) -> bool {
        self.python.is_none() && self.knob == Knob::DEFAULT
    }

    /// What to run to see whether `control` breaks the assertions about this cell; `None` where
    /// `catalogue`, which finds the allocator's knobs by name, knows no such knob.
    pub fn pair(
        &self,
        control: Control<'_>,
        catalogue: impl Fn(&str) -> Option<Knob>,
    ) -> Option<Pair> {
        let usual = catalogue(self.knob)?;
        Some(match control {
            Control::Knob(name) => Pair {
                planted: false,
                turned: catalogue(name)?,
                usual,
            },
            Control::Fault(name) => {
                let usual = with(usual, "AFTERDROP_BASE", self.allocator);
                let mut turned = with(usual.clone(), "AFTERDROP_FAULT", name);
                turned.name = name.to_owned();
                Pair {
                    planted: true,
                    usual,
                    turned,
                }
            }
        })
    }
}

impl<'a> Control<'a> {
    /// The name of the knob or of the fault.
    pub fn name(self) -> &'a str {
        match self {
            Control::Knob(name) | Control::Fault(name) => name,
        }
    }
}

fn with(mut knob: Knob, variable: &str, value: &str) -> Knob {
    knob.variables.push((variable.to_owned(), value.to_owned()));
    knob
}
