//! The numbers that turn measurements into words, each with its reason.

/// So many hundredths of what an object occupied must have come back before the oracle says that it
/// has; what survives the object is left out. Not all of it: allocators keep their own records of what they once managed, and the last
/// few pages are nobody's problem.
pub const RETURNED_PERCENT: i64 = 90;

/// The part that must have come back before `partly` is said instead of `never`. Less is what any
/// process gives or takes.
pub const PARTLY: f64 = 0.1;

/// The least part of what is kept that a cause speaks of. A small part can pin a large one: a tenth in
/// fastbins, all the rest below it. Smaller ones are left to the evidence.
pub const NOTABLE: f64 = 0.1;

/// So much, in KiB, is not held against an allocator, as long as three quarters have come back: what
/// it keeps for each size class does not grow with the object, and is more than a tenth of a small
/// one. Blocks in a thread's cache hold on to their pages: in jemalloc, after strings of some twenty
/// classes, to 1.1 to 1.4 MiB, of 100,000 strings as of 500,000.
pub const NEGLIGIBLE_KIB: i64 = 2048;

/// An object that occupied less, in KiB, is not asked for what its ledgers leave unexplained: single
/// pages would be a notable part of it.
pub const EXPLAINABLE_KIB: i64 = 1024;

/// A model may be off by this part of what it predicts: what an interpreter does besides the statements
/// takes some memory too.
pub const PREDICTED_PART: f64 = 0.01;

/// Or by so much, in KiB: where next to nothing is kept, an interpreter's own small change is a larger
/// part of it. A model that is off by one of the larger arenas is not excused.
pub const PREDICTED_KIB: i64 = 300;

/// So much, in KiB, is never held against an allocator: a few pages, the noise of any process.
pub const TRIVIAL_KIB: i64 = 64;

/// The first build must take at least so many page faults (1 MiB of pages) for the second to be
/// compared with it.
pub const COMPARABLE_FAULTS: u64 = 256;

/// Between two runs outside of the lab, what is kept is noise up to this part of what was occupied:
/// `int-list` under jemalloc occupied 200 MiB in one and 262 in the next, since huge pages come when
/// they come, and `string-map` under mimalloc kept 78 and 61.
pub const NOISE_PART: f64 = 0.5;

/// The same of objects that occupy next to nothing, in KiB.
pub const NOISE_KIB: u64 = 1024;

/// In the lab page faults are noise up to this part, or up to `COMPARABLE_FAULTS`: those on the
/// executable's own pages depend on what the kernel has in its cache. Outside of it they always are.
pub const NOISE_FAULTS: f64 = 0.05;

/// CPU time is worth a look from a run of so many milliseconds and this factor on: less is another
/// process on the machine.
pub const NOISE_CPU_MS: f64 = 20.0;

/// See [`NOISE_CPU_MS`].
pub const NOISE_CPU: f64 = 2.0;
