//! From a comparison to text. Every renderer is a pure function of the document: the same JSON
//! gives the same bytes.
//!
//! Text for a terminal grows on a [`Screen`], which knows how wide it is; its escape sequences are in the text,
//! and whoever prints it takes them out where they are not wanted.
//! [`terminal`] and [`markdown`] lay out the same rows (`rows`) and close with the same
//! sentences (`sentences`); [`html`] draws them, and a [`Picture`] is one of its charts alone. What a figure looks like is decided once, in `figures`.

mod asserted;
mod benchmark;
mod charts;
mod controls;
mod curves;
mod difference;
mod explanation;
mod field;
mod figures;
mod grid;
mod html;
mod ledger;
mod predictions;
mod rows;
mod screen;
mod sentences;
mod shape;
mod style;
mod tables;
mod text;

pub use asserted::{Asserted, asserted, asserted_markdown};
pub use benchmark::{benchmark, contestant};
pub use charts::{Picture, Plot};
pub use controls::controls;
pub use curves::{curves, real_time};
pub use difference::{differences, differences_markdown, summary};
pub use explanation::explanation;
pub use figures::{mebibytes, thousands};
pub use html::changes::Baseline;
pub use html::{html, html_since};
pub use predictions::{predictions, predictions_in_markdown};
pub use screen::{Screen, Width};
pub use sentences::sentences;
pub use tables::{markdown, terminal, timings};
pub use text::{shown, shown_in_json};
