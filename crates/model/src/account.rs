//! An allocator's account of itself: how much of everything, and where the resident bytes are.
//!
//! ```text
//! resident(allocator) = sum of its parts
//! blocks the program holds  = one part; the oracle splits it into what is alive and what is rounding
//! ```

use std::borrow::Cow;

use arrayvec::ArrayVec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most parts, and the most counters, of one account: it must be written without allocating.
pub const MOST_FIGURES: usize = 24;

/// What an allocator says of itself, in bytes; a figure that it does not keep is null.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Account {
    /// In blocks that the program holds, rounded up to the block's size.
    pub allocated_bytes: Option<u64>,
    /// Free, resident as far as the allocator knows, and kept for the next request.
    pub cached_bytes: Option<u64>,
    /// Free and offered to the kernel, which may not have taken it yet.
    pub lazily_freed_bytes: Option<u64>,
    /// The allocator's own records.
    pub metadata_bytes: Option<u64>,
    /// Address space that the allocator has from the system.
    pub mapped_bytes: Option<u64>,
    /// The resident bytes that it answers for, by kind; empty where it tells nothing of them.
    #[serde(default)]
    pub parts: Figures,
    /// What it has counted since the process began, such as purges; empty where it counts nothing.
    #[serde(default)]
    pub counters: Figures,
}

/// Named figures, in the order in which the allocator's author thought of them.
pub type Figures = ArrayVec<Figure, MOST_FIGURES>;

/// What the parts of an account are.
pub type Parts = ArrayVec<Part, MOST_FIGURES>;

/// A figure and its name. The unit is that of the list: bytes of parts, numbers of counters.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Figure {
    /// Such as `fastbins`.
    pub name: Cow<'static, str>,
    /// How much, or how many.
    pub value: u64,
}

impl Figure {
    /// A figure of a name that the program spells.
    pub const fn new(name: &'static str, value: u64) -> Figure {
        Figure {
            name: Cow::Borrowed(name),
            value,
        }
    }
}

/// What a part of an account is: said once, in the subject's introduction.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Part {
    /// The name that the account uses.
    pub name: Cow<'static, str>,
    /// What the bytes are.
    pub holds: Holds,
    /// Where the figure comes from: the counters that were read.
    pub source: Cow<'static, str>,
    /// What keeps the bytes there and what would move them, as the end of the sentence
    /// "100 MiB sit in ...".
    pub because: Cow<'static, str>,
}

impl Part {
    /// A part described in texts that the program spells.
    pub const fn new(
        name: &'static str,
        holds: Holds,
        source: &'static str,
        because: &'static str,
    ) -> Part {
        Part {
            name: Cow::Borrowed(name),
            holds,
            source: Cow::Borrowed(source),
            because: Cow::Borrowed(because),
        }
    }
}

/// What the bytes of a part are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Blocks that the program holds, rounding included.
    Blocks,
    /// Free memory that stays resident.
    Free,
    /// The allocator's own records.
    Records,
    /// No allocator's: thread stacks and the like.
    Other,
}
