//! The workloads: large objects that are built and dropped.
//!
//! A scenario builds one large [`Object`] out of ordinary Rust values and knows nothing of the
//! allocator below it. The same size and seed ask for the same blocks in the same order, so that
//! whatever differs between two runs, the allocator did it. (Those of [`python`] are built of the
//! blocks that a Python program asks for.) A file per idea; each opens with the
//! question that it answers and the complaint that it reproduces. To add one, write the file and
//! name it, with its scenarios, in the list below.

mod block;
mod traffic;
mod turns;

pub use traffic::traffic;

/// Declares each module and lists its scenarios in [`ALL`], in the order of the tables, those of
/// [`python`] behind the semicolon.
macro_rules! scenarios {
    ($($module:ident { $($name:ident),+ $(,)? })+; python { $($statements:ident),+ $(,)? }) => {
        $(mod $module;)+
        pub mod python;

        /// Every scenario, in the order of the tables.
        pub const ALL: &[Scenario] = &[$($($module::$name),+),+, $(python::$statements),+];

        /// Those that are made of Rust values.
        pub const RUST: &[Scenario] = &[$($($module::$name),+),+];

        /// Those that are statements of Python, each for every version that is modelled.
        pub const PYTHON: &[Scenario] = &[$(python::$statements),+];
    };
}

scenarios! {
    int_list { SCENARIO }
    int_stream { SCENARIO }
    byte_buffer { SCENARIO }
    string_map { SCENARIO }
    tree { SCENARIO }
    orders { FORWARDS, BACKWARDS, SHUFFLED }
    survivors { ONE_IN_33, ONE_IN_1000, ONE_IN_16384, AT_END, AT_TOP }
    buffer_again { SCENARIO }
    pushed_bytes { SCENARIO }
    threads { FREED_IN_MAIN, FREED_BY_BOTH, EXITED, OWN_ARENAS }
    tasks { AWAITED, DETACHED }
    producer_consumer { SCENARIO }
    size_drift { SCENARIO }
    churn { SCENARIO }
    cache { SCENARIO }
    json_document { SCENARIO }
    c_library { SCENARIO };
    python { INT_LIST, FLOAT_LIST, INT_STREAM, OBJECTS, STRINGS_100, STRINGS_400, STRINGS_1000 }
}

/// The first of them, which are measured where the user names none: small blocks, the same one at
/// a time, one large block, a container, a recursive structure. The others reproduce complaints.
pub const CORE: &[Scenario] = ALL.split_at(5).0;

/// A workload: how to build one large object, and what dropping it is to show.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name on the command line and in the JSON.
    pub name: &'static str,
    /// What is built and how it is dropped, in one line.
    pub summary: &'static str,
    /// The question that dropping it answers.
    pub question: &'static str,
    /// What one unit of its size is.
    pub unit: &'static str,
    /// The size where the user names none.
    pub default_size: u64,
    /// The most bytes that an object of this size asks for at once, at least roughly.
    pub footprint_bytes: fn(size: u64) -> u64,
    /// Builds the object.
    pub build: fn(size: u64, seed: u64) -> Box<dyn Object>,
}

impl Scenario {
    /// Whether it is one of [`PYTHON`]: it runs in an interpreter, and so has a garbage collector.
    pub fn is_python(&self) -> bool {
        PYTHON.iter().any(|scenario| scenario.name == self.name)
    }
}

/// A large object: dropping it is the experiment.
pub trait Object {
    /// Bytes that it asked the allocator for and still holds. Blocks of the scenario, that is: a
    /// thread and the like are not counted.
    fn live_bytes(&self) -> u64;

    /// Drops what is to be dropped. Where something survives, it is returned: it stays alive
    /// until the next object is to be built.
    fn drop_large(self: Box<Self>) -> Option<Box<dyn Object>> {
        None
    }
}

/// An object in a box that was asked for before it. A box asked for last would lie on top of the
/// object where a heap grows upwards, and pin all of it until the object is gone.
fn boxed<T: Object + 'static>(build: impl FnOnce() -> T) -> Box<dyn Object> {
    let place = std::hint::black_box(Box::<T>::new_uninit());
    let object: Box<T> = Box::write(place, build());
    object
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes that are quick to build and large enough for every branch.
    const SIZE: u64 = 20_000;

    #[test]
    fn names_are_unique_and_found() {
        for scenario in ALL {
            assert_eq!(find(scenario.name).unwrap().summary, scenario.summary);
            assert_eq!(
                ALL.iter().filter(|s| s.name == scenario.name).count(),
                1,
                "{} stands twice",
                scenario.name
            );
        }
    }

    #[test]
    fn the_same_seed_builds_the_same_object() {
        for scenario in RUST {
            let live = |seed| (scenario.build)(SIZE, seed).live_bytes();
            assert_eq!(live(1), live(1), "{}", scenario.name);
        }
    }

    #[test]
    fn footprint_covers_what_is_alive_and_does_not_overflow() {
        for scenario in RUST {
            let live = (scenario.build)(SIZE, 1).live_bytes();
            let footprint = (scenario.footprint_bytes)(SIZE);
            assert!(live <= footprint, "{}: {live} > {footprint}", scenario.name);
            assert!(
                footprint <= live * 3 + 4096,
                "{}: {footprint} is no estimate of {live}",
                scenario.name
            );
            assert!((scenario.footprint_bytes)(u64::MAX) >= footprint);
        }
    }

    #[test]
    fn every_size_from_one_up_builds() {
        for scenario in RUST {
            for size in 1..20 {
                drop((scenario.build)(size, 1));
            }
        }
    }
}
