//! Which places a set of slices has for a pool, and which of them is chosen.

use super::*;
use crate::class::CLASSES;

/// Slices of which these are free, and these of them dirty.
fn slices(free: u32, dirty: u32) -> Slices {
    Slices {
        stale: [const { Cell::new(0) }; SLICES],
        free: Cell::new(free),
        dirty: Cell::new(dirty),
        fresh: Cell::new(0),
        vacant: Cell::new(0),
        followers: Cell::new(0),
        is_huge: Cell::new(false),
        broken: AtomicU32::new(0),
    }
}

/// The span of so many slices.
fn span(slices: usize) -> Span {
    let spans = (0..CLASSES).map(|number| Class::nth(number).span());
    let found = spans.into_iter().find(|span| span.slices() == slices);
    found.expect("there is a class of that span")
}

#[test]
fn places_are_at_multiples_of_the_span_and_free_as_a_whole() {
    let some = slices(0b1111_0110_1111_1111_1110, 0);
    assert_eq!(some.places(span(1)), 0b1111_0110_1111_1111_1110);
    assert_eq!(some.places(span(2)), 0b0101_0000_0101_0101_0100);
    assert_eq!(some.places(span(4)), 0b0001_0000_0001_0001_0000);
    assert_eq!(some.places(span(8)), 0);
    assert_eq!(slices(ALL, 0).places(span(8)), 0x0101_0101);
}

#[test]
fn the_first_of_the_dirtiest_places_is_chosen() {
    let free = 0b1111_1111_0000;
    let chosen = |dirty, slices_wanted| {
        let place = slices(free, dirty).choose(span(slices_wanted));
        place.map(|place| (place.first, place.dirt))
    };
    assert_eq!(chosen(0, 1), Some((4, Dirt::None)));
    assert_eq!(chosen(0b1010_0000_0000, 1), Some((9, Dirt::All)));
    assert_eq!(chosen(0b1110_0000_0000, 2), Some((10, Dirt::All)));
    assert_eq!(chosen(0b0110_0000_0000, 2), Some((8, Dirt::Some)));
    assert_eq!(chosen(0b0110_0000_0000, 4), Some((8, Dirt::Some)));
    assert_eq!(chosen(0, 8), None);
    assert!(slices(0, 0).choose(span(1)).is_none());
}
