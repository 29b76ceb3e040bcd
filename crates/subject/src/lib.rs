//! The process under test: it does what the driver asks, one line at a time, and nothing else.
//!
//! A binary names one `#[global_allocator]`, implements [`Control`] for it and calls [`serve`].
//! Between two commands the subject blocks in `read`, so that nothing moves while it is measured.
//! The loop itself allocates nothing: its buffers are on the stack, its strings are borrowed from
//! the line, and it reads and writes with raw system calls. What the allocator is asked for is
//! what the scenario asks for.
//!
//! The subject carries its own [`clock`] and [`random`] source, which every library linked into
//! the executable uses in place of the C library's.

mod c_malloc;
pub mod clock;
mod control;
mod interpose;
mod mappings;
mod placement;
mod process;
mod python;
pub mod random;
mod serve;
mod upheld;
mod wire;

pub use c_malloc::CMalloc;
pub use control::{Control, Plain, c_string};
pub use mappings::{Extent, resident_bytes};
pub use model::{Account, Figure, Figures, Holds, Part};
pub use process::Process;
pub use serve::{serve, serve_on};
