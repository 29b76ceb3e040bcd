//! Charts: drawn once, shown in the page and in files of their own.
//!
//! ```text
//! chart    the canvas and its stand-ins for colours
//! palette  what the colours are in a file; in the page the style sheet says
//! curve, ledger, matrix, scatter    one kind of chart each
//! picture  a chart with title, legend and origin: a file that stands alone
//! png      a picture in pixels
//! ```

pub(crate) mod chart;
pub(crate) mod curve;
pub(crate) mod ledger;
mod legend;
mod matrix;
mod palette;
mod picture;
mod png;
pub(crate) mod scatter;
pub(crate) mod steps;

pub use picture::{Picture, Plot};
