use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;

/// The reserve after memory in use stood at these places, one after the other, so many milliseconds apart.
fn reserve_after(places: impl IntoIterator<Item = usize>, apart_ms: u64) -> usize {
    let (mut tide, mut now_ms) = (Tide::new(), 1_000_000);
    for place in places {
        tide.stands_at(place, || now_ms);
        now_ms += apart_ms;
    }
    tide.reserve()
}

/// So many rounds between two places, and the rise of the next.
fn rounds(count: usize, low: usize, high: usize) -> impl Iterator<Item = usize> {
    std::iter::repeat_n([high, low], count)
        .flatten()
        .chain([high])
}

#[test]
fn rounds_earn_what_one_takes_and_some_slack() {
    for (round, enough) in [(2 * MIB, ROUNDS), (20 * MIB, LARGE_ROUNDS)] {
        let earned = |count| reserve_after(rounds(count, 7 * MIB, 7 * MIB + round), 1);
        // The first is the measure of those that follow.
        assert_eq!(earned(usize::from(enough)), 0);
        assert_eq!(earned(usize::from(enough) + 1), round + round / SLACK);
        assert_eq!(earned(1_000), round + round / SLACK);
    }
}

#[test]
fn at_high_water_only_the_slack_is_left() {
    let (low, high) = (7 * MIB, 27 * MIB);
    let mut tide = Tide::new();
    for place in rounds(20, low, high) {
        tide.stands_at(place, || 0);
    }
    let slack = 20 * MIB / SLACK;
    assert_eq!(tide.room(), slack);
    tide.stands_at(17 * MIB, || 0);
    assert_eq!(tide.room(), 10 * MIB + slack);
    tide.stands_at(low, || 0);
    assert_eq!(tide.room(), 20 * MIB + slack);
    // Lower than ever is no reason for more, nor higher for less than nothing.
    tide.stands_at(MIB, || 0);
    assert_eq!(tide.room(), 20 * MIB + slack);
    tide.stands_at(100 * MIB, || 0);
    assert_eq!(tide.room(), 0);
}

#[test]
fn no_reserve_exceeds_the_limit_and_what_is_forgotten_leaves_it() {
    let rise_and_fall = |tide: &mut Tide| {
        for place in rounds(20, 0, 20 * MIB).chain([0]) {
            tide.stands_at(place, || 0);
        }
        (tide.reserve(), tide.room())
    };
    let mut tide = Tide::new();
    tide.limit(3 * MIB, 0);
    assert_eq!(rise_and_fall(&mut tide), (3 * MIB, 3 * MIB));
    tide.limit(2 * MIB, 0);
    assert_eq!((tide.reserve(), tide.room()), (2 * MIB, 2 * MIB));
    tide.forget();
    assert_eq!((tide.reserve(), tide.room()), (0, 0));
    assert_eq!(rise_and_fall(&mut tide), (2 * MIB, 2 * MIB));
    tide.limit(LEAST - 1, 0);
    assert_eq!(tide.reserve(), 0);
    tide.limit(usize::MAX, 0);
    assert_eq!(tide.reserve(), 20 * MIB + 20 * MIB / SLACK);
}

#[test]
fn rounds_of_less_than_the_least_level_earn_nothing() {
    assert_eq!(reserve_after(rounds(1_000, MIB, MIB + LEAST), 1), 0);
}

#[test]
fn rounds_far_apart_earn_nothing() {
    let soon_ms = soon_ms(16 * MIB);
    assert_eq!(
        reserve_after(rounds(100, 0, 20 * MIB), soon_ms),
        20 * MIB + 20 * MIB / SLACK
    );
    assert_eq!(reserve_after(rounds(100, 0, 20 * MIB), soon_ms + 1), 0);
}

#[test]
fn one_large_round_does_not_hide_a_loop_of_small_ones() {
    let large = [0, 1_000 * MIB, 0];
    let earned = reserve_after(large.into_iter().chain(rounds(20, 0, MIB)), 1);
    assert_eq!(earned, MIB + MIB / SLACK);
}

#[test]
fn a_loop_within_a_loop_earns_for_both() {
    let inner = || rounds(20, 99 * MIB, 100 * MIB).chain([20 * MIB]);
    let outer = |count| (0..count).flat_map(move |_| inner());
    assert_eq!(reserve_after(outer(2), 1), MIB + MIB / SLACK);
    assert_eq!(reserve_after(outer(9), 1), 80 * MIB + 80 * MIB / SLACK);
}

#[test]
fn growth_by_doubling_earns_nothing() {
    // The new block is there before the old one goes.
    let grown = (18..32).flat_map(|bit| [3 << bit, 2 << bit]);
    assert_eq!(reserve_after(grown.chain([0, 1 << 30]), 1), 0);
}

#[test]
fn growth_and_a_drop_earn_nothing() {
    let grown = (0..1_000).map(|step| step * MIB);
    assert_eq!(reserve_after(grown.clone().chain(grown.rev()), 1), 0);
}

#[test]
fn what_is_not_used_lapses() {
    let (mut tide, mut now_ms) = (Tide::new(), 0);
    for place in rounds(20, 0, 20 * MIB) {
        tide.stands_at(place, || now_ms);
        now_ms += 1;
    }
    assert_eq!(tide.reserve(), 20 * MIB + 20 * MIB / SLACK);
    now_ms += (LAPSE - 1) * soon_ms(16 * MIB);
    tide.stands_at(0, || now_ms);
    assert_eq!(tide.reserve(), 20 * MIB + 20 * MIB / SLACK);
    now_ms += soon_ms(16 * MIB);
    tide.stands_at(MIB, || now_ms);
    assert_eq!(tide.reserve(), 0);
}

#[test]
fn what_is_not_used_lapses_at_the_drop_that_follows() {
    let (mut tide, mut now_ms) = (Tide::new(), 0);
    for place in rounds(20, 0, 20 * MIB) {
        tide.stands_at(place, || now_ms);
        now_ms += 1;
    }
    now_ms += LAPSE * soon_ms(16 * MIB);
    tide.stands_at(0, || now_ms);
    assert_eq!(tide.reserve(), 0);
}

#[test]
fn a_loop_that_paused_has_its_reserve_again() {
    for pauses_at in [7 * MIB, 27 * MIB] {
        let (mut tide, mut now_ms) = (Tide::new(), 1_000_000);
        let mut go = |place, takes_ms| {
            tide.stands_at(place, || now_ms);
            now_ms += takes_ms;
            tide.reserve()
        };
        let earned = rounds(20, 7 * MIB, 27 * MIB)
            .map(|place| go(place, 1))
            .last();
        go(pauses_at, 5_000);
        let again = rounds(20, 7 * MIB, 27 * MIB)
            .map(|place| go(place, 1))
            .last();
        assert_eq!((earned, again), (Some(20 * MIB + 20 * MIB / SLACK), earned));
    }
}

#[test]
fn a_loop_that_becomes_smaller_has_less() {
    let places = rounds(20, 0, 20 * MIB).chain(rounds(40, 0, 17 * MIB));
    assert_eq!(reserve_after(places, 1), 17 * MIB + 17 * MIB / SLACK);
}

proptest! {
    /// Floats hold the surface in their play, and one of less play moves whenever one of more does.
    #[test]
    fn floats_nest(places in prop::collection::vec(0..200 * MIB, 1..200)) {
        let mut tide = Tide::new();
        for place in places {
            tide.stands_at(place, || 0);
            let floats = || tide.floats.iter().enumerate();
            let plays = || floats().map(|(level, float)| (float.low, float.low + width(level)));
            for ((low, high), (wider_low, wider_high)) in plays().zip(plays().skip(1)) {
                prop_assert!((low..=high).contains(&place));
                prop_assert!(wider_low <= low && high <= wider_high);
            }
        }
    }

    /// However it is found, the reserve is that of the level with the most.
    #[test]
    fn the_reserve_is_the_largest_of_all_levels(places in prop::collection::vec(0..200 * MIB, 1..200)) {
        let (mut tide, mut now_ms) = (Tide::new(), 0);
        for (step, place) in places.into_iter().enumerate() {
            // Long enough, now and then, for levels to be forgotten, the small ones or all.
            now_ms += match step % 50 {
                24 => LAPSE * soon_ms(0) + 1,
                49 => LAPSE * soon_ms(width(LEVELS)) + 1,
                _ => 1,
            };
            // Few places, or no level that is not small has rounds; and never the same twice, so that it looks.
            let place = place / (50 * MIB) * (50 * MIB) + step % 2 * MIB;
            tide.stands_at(place, || now_ms);
            let found = (tide.reserve(), tide.reserve.ceiling);
            tide.judge(now_ms);
            prop_assert_eq!(found, (tide.reserve(), tide.reserve.ceiling));
        }
    }

    /// Nobody has a reserve of more than memory in use ever fell by, but for the slack.
    #[test]
    fn a_reserve_is_at_most_the_greatest_fall(places in prop::collection::vec(0..200 * MIB, 1..200)) {
        let (mut tide, mut highest, mut fall) = (Tide::new(), 0, 0);
        for place in places {
            tide.stands_at(place, || 0);
            highest = highest.max(place);
            fall = fall.max(highest - place);
            prop_assert!(tide.reserve() <= fall + fall / SLACK);
        }
    }
}
