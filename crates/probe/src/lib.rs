//! What the kernel says of a process and of the machine, read from outside the process.
//!
//! [`Probe`] watches one process: its memory, exact to the page, and the page faults and CPU time
//! it has spent. Reading costs the process nothing; it need not know. [`host`] tells of the machine.

mod host;
mod process;

pub use host::host;
pub use process::{Probe, Spent, Unreadable};
