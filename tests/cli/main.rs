//! What the command line promises whoever types it: clear lines, statuses, streams and files.
//!
//! The tests run the real executable from the workspace's root and look at nothing but what it
//! prints, writes and leaves behind. What the figures mean is `tests/it`'s business.

mod bad_input;
mod baseline;
mod bench;
mod book;
mod bring_your_own;
mod controls;
mod curve;
mod diff;
mod documents;
mod failures;
mod interruption;
mod knobs;
mod plot;
mod python;

mod reproduce;
mod review;
mod run;
mod schema;
mod streams;
mod terminal;
mod verdicts;
