//! The project's claims, asserted against real subjects under lab conditions.
//!
//! Each module makes one kind of claim; [`lab`] is how they run a cell. Claims about retention
//! stand as snapshots, reviewed with `cargo insta review`, and each has a negative control.
//!
//! Tests begin in the order of their names, so the longest has one that comes first.

mod any_size;
mod architecture;
mod bench;
mod clock;
mod conversation;
mod exactness;
mod faults;
mod isolation;
mod lab;
mod ledger;
mod memory_faults;
mod python;
mod retention;
