//! What `cargo xtask bench` times: loops that ask for memory and give it back.
//!
//! A workload is prepared once and then run pass after pass; a pass ends as it began, so that the
//! next one finds the same state. Like the scenarios, workloads know nothing of the allocator below
//! them, and the same size asks for the same blocks in the same order (where two threads meet, in
//! an order that is theirs). A file per family. To add one, write the file and name it below.
//!
//! What is not the allocator's work is kept small: random numbers cost a multiplication or two,
//! texts and keys are made while preparing. A block is written to when it is made, as a program
//! would write to it: its first word, or its first cache line where it has one.

mod block;

/// Declares each module and lists its workloads in [`ALL`], in the order of the tables.
macro_rules! workloads {
    ($($module:ident { $($name:ident),+ $(,)? })+) => {
        $(mod $module;)+

        /// Every workload, in the order of the tables.
        pub const ALL: &[Workload] = &[$($($module::$name),+),+];
    };
}

workloads! {
    pair { PAIR }
    lifo { OF_24, OF_256, OF_2048, AND_REVERSE }
    slots { TEN_256, TEN_1K, TEN_16K, HUNDRED_256, HUNDRED_1K, HUNDRED_16K, PARETO }
    larson { LARSON }
    swap { SWAP }
    shared_table { SHARED_TABLE }
    producer_consumer { PRODUCER_CONSUMER }
    comers_and_goers { COMERS_AND_GOERS }
    buffers { BUFFERS }
    realloc_growth { REALLOC_GROWTH }
    json { JSON }
    btreemap { BTREEMAP }
    string_map { STRING_MAP }
    regex { REGEX }
    sort_strings { SORT_STRINGS }
    int_list { INT_LIST, REBUILD }
}

mod limits;
mod text;

/// Something to time.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// The name on the command line and in the JSON.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What one operation is.
    pub operation: &'static str,
    /// Whether passes that are not timed come first.
    pub start: Start,
    /// How many passes are timed.
    pub passes: u32,
    /// How large a pass is, in the workload's own unit.
    pub size: u64,
    /// Makes what the passes need, at this size.
    pub prepare: fn(size: u64) -> Pass,
    /// What no allocator can be faster than: the same bytes without one. Timed beside the workload.
    pub limits: &'static [Workload],
}

/// Does the work once and tells how many operations that were. Dropping it frees everything.
pub type Pass = Box<dyn FnMut() -> u64>;

/// What precedes the timed passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// Twice as many passes as are timed: the allocator has what it needs and knows what there is
    /// to know. What counts is how it goes on.
    Warm,
    /// Nothing: the first time is what counts.
    Cold,
}

/// Passes that come first, for each that is timed.
const WARM_UPS: u64 = 2;

/// How much was timed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timed {
    /// Nanoseconds on the clock that was given.
    pub ns: u64,
    /// Operations in them.
    pub operations: u64,
}

impl Workload {
    /// Prepares the workload, runs its passes between two readings of the clock and frees
    /// everything. `divisor` makes sizes and the number of passes smaller, for tests.
    pub fn time(&self, divisor: u64, clock_ns: impl Fn() -> u64) -> Timed {
        let shrunk = |number: u64| (number / divisor.max(1)).max(1);
        let mut pass = (self.prepare)(shrunk(self.size));
        let passes = shrunk(self.passes.into());
        if self.start == Start::Warm {
            for _ in 0..WARM_UPS * passes {
                pass();
            }
        }
        let mut operations = 0;
        let began_ns = clock_ns();
        for _ in 0..passes {
            operations += pass();
        }
        let ns = clock_ns() - began_ns;
        Timed { ns, operations }
    }
}

/// The workload of this name; limits have names, too.
pub fn find(name: &str) -> Option<&'static Workload> {
    let limits = ALL.iter().flat_map(|workload| workload.limits);
    let mut known = ALL.iter().chain(limits);
    known.find(|workload| workload.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let limits = || ALL.iter().flat_map(|workload| workload.limits);
        for workload in ALL.iter().chain(limits()) {
            assert_eq!(find(workload.name).unwrap().summary, workload.summary);
            let of_that_name = |other: &&Workload| other.name == workload.name;
            let count = ALL.iter().chain(limits()).filter(of_that_name).count();
            assert_eq!(count, 1, "{} stands twice", workload.name);
        }
    }

    #[test]
    fn every_size_from_one_up_runs_and_counts() {
        for workload in ALL {
            for size in 1..20 {
                let mut pass = (workload.prepare)(size);
                assert!(pass() > 0, "{} of size {size}", workload.name);
            }
        }
    }

    #[test]
    fn a_pass_has_as_many_operations_as_the_last() {
        for workload in ALL {
            let mut pass = (workload.prepare)(300);
            assert_eq!(pass(), pass(), "{}", workload.name);
        }
    }
}
