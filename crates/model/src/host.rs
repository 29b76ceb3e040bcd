//! The machine that a comparison was made on, and which lab conditions held there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine that a comparison was made on. A fact that the machine does not give is null.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Host {
    /// Operating system, such as `Debian GNU/Linux 12`.
    pub os: Option<String>,
    /// Kernel release, as `uname -r` prints it.
    pub kernel: Option<String>,
    /// Version of the C library that the subjects are linked with.
    pub glibc: Option<String>,
    /// Processor architecture.
    pub architecture: String,
    /// Logical processors.
    pub cpu_count: usize,
    /// Page size in bytes.
    pub page_size_bytes: u64,
    /// Physical memory, KiB.
    pub memory_kib: u64,
    /// What could be allocated without swapping when the comparison began, KiB.
    pub available_kib: u64,
    /// The mode chosen in `/sys/kernel/mm/transparent_hugepage/enabled`.
    pub huge_pages: Option<String>,
    /// Which lab conditions were wanted, and whether they held in every subject.
    /// Empty under host conditions.
    pub lab_conditions: Vec<LabCondition>,
}

/// One lab condition and whether it held in every subject.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct LabCondition {
    /// Its name, as in a cell's `upheld`.
    pub name: String,
    /// Whether it held in every subject that said hello.
    pub held: bool,
}

/// Which lab conditions a subject finds itself under; it looks for itself and takes nobody's word.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Upheld {
    /// `clock_gettime` is the subject's own and stands still until told to move.
    pub lab_clock: bool,
    /// `getrandom` is the subject's own and gives the same bytes in every run.
    pub seeded_randomness: bool,
    /// Address-space randomisation is off.
    pub fixed_addresses: bool,
    /// Transparent huge pages are off for this process.
    pub no_huge_pages: bool,
    /// The process may run on one processor only.
    pub one_cpu: bool,
}

impl Upheld {
    /// Each condition by name.
    pub fn named(self) -> [(&'static str, bool); 5] {
        [
            ("lab_clock", self.lab_clock),
            ("seeded_randomness", self.seeded_randomness),
            ("fixed_addresses", self.fixed_addresses),
            ("no_huge_pages", self.no_huge_pages),
            ("one_cpu", self.one_cpu),
        ]
    }
}
