//! Spawns subjects and walks them through their checkpoints.
//!
//! [`run`] is the whole of it: it takes a [`Plan`], spawns the subject under the plan's conditions,
//! shakes hands, has it build and drop the large object, lets time pass, has it work, asks it to
//! give memory back, and at each checkpoint reads the kernel's figures from outside and the
//! allocator's from inside. A subject that dies, hangs or talks nonsense ends its own run, with
//! the reason and everything measured until then, and leaves no process behind: it is killed when
//! its handle is dropped, on an error, on Ctrl-C and on a panic alike, and by the kernel should the
//! driver itself be killed.
//!
//! [`time`] is the same for a benchmark: one workload, timed by the subject, with the kernel's figures
//! before and after it.
//!
//! The driver measures and does not judge.

mod conditions;
mod executable;
mod failure;
mod interrupt;
mod schedule;
mod subject;
mod time;
mod walk;

use std::path::PathBuf;
use std::time::Duration;

use model::{Checkpoint, Conditions, Knob, Part, Timings, Upheld};

pub use conditions::end_with_this_process;
pub use failure::Failure;
pub use interrupt::Interrupt;
pub use schedule::{Schedule, curve_times};
pub use time::{Race, Timed, time};
pub use walk::run;

/// What to measure: one cell.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The subject's executable.
    pub subject: PathBuf,
    /// What it is started with: where the subject is a script in an interpreter, the script.
    pub arguments: Vec<String>,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's size, in its own unit.
    pub size: u64,
    /// The seed of everything random in the scenario.
    pub seed: u64,
    /// The Python to run the scenario in, where it is one of Python's and the subject has several.
    pub python: Option<String>,
    /// Whether the scenario has a garbage collector to ask.
    pub collector: Collector,
    /// How often the object is built and dropped, at least once.
    pub rounds: u32,
    /// What happens after the last drop.
    pub schedule: Schedule,
    /// The environment that the subject gets, and what it does after each drop.
    pub knob: Knob,
    /// Lab or host.
    pub conditions: Conditions,
    /// How long the subject may take over one step, apart from the waiting that it was told to do.
    pub step_limit: Duration,
}

/// A scenario's garbage collector.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Collector {
    /// It has none.
    #[default]
    None,
    /// One that does a full collection when asked, Python's.
    Full,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Run {
    /// The subject's introduction of itself, if it got that far.
    pub introduction: Option<Introduction>,
    /// Everything measured, up to the failure if there was one.
    pub checkpoints: Vec<Checkpoint>,
    /// Why the run ended early, if it did.
    pub failure: Option<Failure>,
    /// Of one that came to its end, the last line on the subject's standard error: an allocator's, or the dynamic
    /// linker's, that does not understand what it was set to.
    pub remark: Option<String>,
    /// What measuring cost.
    pub timings: Timings,
}

impl Run {
    /// One that ended before it began.
    pub fn not_begun(failure: Failure) -> Run {
        Run {
            failure: Some(failure),
            ..Run::default()
        }
    }
}

/// A subject's introduction of itself.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// The allocator's name, such as `system`.
    pub allocator: String,
    /// What the allocator is called in a sentence.
    pub title: String,
    /// The version that the allocator itself reports.
    pub version: String,
    /// The call by which it is asked to give memory back, if there is one.
    pub release_call: Option<String>,
    /// What the parts of its account are.
    pub parts: Vec<Part>,
    /// The lab conditions that the subject found itself under.
    pub upheld: Upheld,
}
