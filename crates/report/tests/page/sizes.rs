//! How large a page is, and what it takes to write one of ten thousand cells.

use model::{Cell, Comparison};

use crate::{measured, page, with_knobs};

/// So many cells like the measured ones.
fn many(cells: usize) -> Comparison {
    repeated(measured(), cells)
}

/// So many cells like the measured ones, half of them with a knob turned.
pub(crate) fn many_with_knobs(cells: usize) -> Comparison {
    repeated(with_knobs().0, cells)
}

/// The cells again and again, each time in another scenario.
fn repeated(mut comparison: Comparison, cells: usize) -> Comparison {
    let before = std::mem::take(&mut comparison.cells);
    let copies = before.iter().cycle().take(cells).enumerate();
    let copies = copies.map(|(index, cell)| Cell {
        scenario: format!("{}-{}", cell.scenario, index / before.len()),
        ..cell.clone()
    });
    comparison.cells = copies.collect();
    comparison
}

#[test]
fn the_page_of_a_default_run_is_small() {
    let bytes = page(&many(20)).len();
    assert!(bytes < 5 << 20, "{bytes} bytes");
}

/// Prints what it took; nothing asserts how fast anything is.
#[test]
fn ten_thousand_cells_are_a_page() {
    let comparison = many(10_000);
    let start = std::time::Instant::now();
    let html = page(&comparison);
    let (took, bytes) = (start.elapsed(), html.len());
    println!(
        "10,000 cells: {:.1} MiB in {took:.1?}",
        bytes as f64 / f64::from(1 << 20)
    );
    assert_eq!(html.matches("<article id=\"c").count(), 10_000);
}
