//! What a driver and a subject say to each other: one JSON value a line.
//!
//! The driver writes a [`Command`] to the subject's standard input and reads one
//! [`Reply`] from its standard output; the subject says nothing unasked. Both sides
//! borrow from the line they have read, so that the subject can take part without
//! allocating a byte: strings without escapes borrow, numbers are copied.
//!
//! ```text
//! {"hello":{"protocol":3}}                       -> {"hello":{"protocol":3,"allocator":"system",...}}
//! {"prepare":{"scenario":"int-list","size":...}} -> {"done":{"live_bytes":0,"clock_ms":0}}
//! "build"                                        -> {"done":{"live_bytes":163840000,"clock_ms":0}}
//! ```
//!
//! The handshake comes first, and a subject that speaks another [`VERSION`] is not measured.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Account, Parts, Upheld};

/// The version of this protocol. It rises with every change that an older peer would misread.
pub const VERSION: u32 = 3;

/// The longest line that either side writes, in bytes, its newline included.
pub const LONGEST_LINE: usize = 8 * 1024;

/// The environment variable that tells a subject which clock to live by: `host` for real time,
/// anything else, or nothing, for the lab's. It is read before `main`, by whoever asks first.
pub const CONDITIONS_VARIABLE: &str = "AFTERDROP_CONDITIONS";

/// The counter of an account that tells the most bytes which a workload held at once: kept by a
/// subject that counts, for the sake of nothing else.
pub const PEAK_LIVE_BYTES: &str = "peak live bytes";

/// What the driver asks of a subject.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command<'a> {
    /// Who are you, and do we speak the same protocol?
    Hello {
        /// The driver's [`VERSION`].
        protocol: u32,
    },
    /// Choose the scenario that `Build` and `Drop` are about.
    Prepare {
        /// Its name.
        #[serde(borrow)]
        scenario: Cow<'a, str>,
        /// Its size, in its own unit.
        size: u64,
        /// The seed of everything random in it.
        seed: u64,
        /// The Python to run it in, such as `2.4 32-bit`, where the scenario is one of Python's and
        /// the subject has more than one; none of any other scenario.
        #[serde(default, borrow)]
        python: Option<Cow<'a, str>>,
    },
    /// Build the large object.
    Build,
    /// Drop it.
    Drop,
    /// Let time pass without calling the allocator.
    Wait {
        /// How much, in milliseconds.
        ms: u64,
    },
    /// Allocate and free as an ordinary program would for a moment.
    Traffic,
    /// Have the garbage collector do a full collection, `gc.collect()`. Refused where the prepared
    /// scenario has no collector.
    Collect,
    /// Ask the allocator to give memory back.
    Release,
    /// Run a workload between two readings of the clock, and free everything.
    Time {
        /// Its name.
        #[serde(borrow)]
        workload: Cow<'a, str>,
        /// How many times smaller than usual; 1 but in tests.
        divisor: u64,
    },
    /// What does the allocator say of itself?
    Account,
    /// Exit with status 0.
    Exit,
}

/// What a subject answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "a reply lives on the stack for as long as it is being written; a box would allocate"
)]
pub enum Reply<'a> {
    /// To `Hello`.
    #[serde(borrow)]
    Hello(Hello<'a>),
    /// To everything that has been done.
    Done {
        /// Bytes that the scenario asked for and still holds.
        live_bytes: u64,
        /// The subject's clock, in milliseconds since `Prepare`.
        clock_ms: u64,
    },
    /// To `Time`.
    Timed {
        /// Nanoseconds between the two readings.
        ns: u64,
        /// Operations between them.
        operations: u64,
    },
    /// To `Account`.
    Account(Account),
    /// To what cannot be done, with the reason.
    Refused(#[serde(borrow)] Cow<'a, str>),
}

/// A subject's introduction of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Hello<'a> {
    /// The subject's [`VERSION`].
    pub protocol: u32,
    /// The allocator's name, such as `system`.
    #[serde(borrow)]
    pub allocator: Cow<'a, str>,
    /// What the allocator is called in a sentence, such as `system malloc`.
    #[serde(borrow)]
    pub title: Cow<'a, str>,
    /// The version that the allocator itself reports.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// The call behind `Release`, such as `malloc_trim(0)`; none where the allocator has none.
    #[serde(borrow)]
    pub release_call: Option<Cow<'a, str>>,
    /// What the parts of its account are; empty where it tells nothing of them.
    #[serde(default)]
    pub parts: Parts,
    /// The lab conditions that the subject finds itself under.
    pub upheld: Upheld,
}
