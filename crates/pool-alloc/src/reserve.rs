//! A reserve: how much free memory may stay resident because it is about to be needed again.
//!
//! What a program drops goes back, since nothing says that it will be wanted. A loop that drops and builds says so,
//! round after round, and each round pays for every page twice. So a reserve watches the turns of the tide:
//!
//! ```text
//!   memory            given                     given                     given
//!   in use        ___      back             ___      back             ___      back
//!              __/   \__               ____/   \__               ____/   \__
//!           __/         \__________   /           \__________   /           \________
//!                                  needed                    needed
//!                        |<-- SOON -->|
//! ```
//!
//! A *round* is memory given back and as much needed again, soon. After `ROUNDS` rounds of about the same size, the
//! reserve grows by that size, and the loop pays no more. What the reserve holds and nobody touched for a while (see
//! `WORTH`) goes back after all. The clock is read once a round, and nothing happens because time passes: a program
//! that looped and then stops allocating keeps one round's memory, which is this design's weakness.
//!
//! ```text
//! bytes = 0 until ROUNDS rounds were seen;   a program that does not loop never has a reserve
//! ```

/// Rounds that must be seen. More keeps less in programs that repeat themselves a few times and then do something
/// else, fewer pays for fewer rounds before the reserve is there.
const ROUNDS: u32 = 16;

/// Milliseconds within which memory must be needed again: what waits longer, others could have used.
const SOON_MS: u64 = 100;

/// Rounds of one loop may differ by this factor.
const ALIKE: usize = 8;

/// The reserve is looked at when so many times its bytes have been freed. What has not been used by then is given up.
const WORTH: usize = 4;

/// See the top of this file. All figures are bytes but for the number of rounds and the time.
pub(crate) struct Reserve {
    bytes: usize,
    /// The round under way.
    given: usize,
    needed: usize,
    given_at_ms: u64,
    /// The rounds seen: how many, and the largest of them.
    rounds: u32,
    largest: usize,
    /// Since the last look at the reserve: what was freed, and the least that lay free.
    freed: usize,
    least_free: usize,
}

impl Reserve {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: 0,
            given: 0,
            needed: 0,
            given_at_ms: 0,
            rounds: 0,
            largest: 0,
            freed: 0,
            least_free: usize::MAX,
        }
    }

    /// What may stay resident.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Notes that so much went back to the system because the reserve did not cover it. `now_ms` reads the clock.
    pub(crate) fn gave(&mut self, bytes: usize, now_ms: impl FnOnce() -> u64) {
        if self.needed > 0 {
            self.end_round();
        }
        if bytes > 0 {
            self.given += bytes;
            self.given_at_ms = now_ms();
        }
    }

    /// Notes that so much was fetched from the system.
    pub(crate) fn fetched(&mut self, bytes: usize, now_ms: impl FnOnce() -> u64) {
        if self.given == 0 {
            return;
        }
        if self.needed == 0 && now_ms().saturating_sub(self.given_at_ms) > SOON_MS {
            self.given = 0;
            return;
        }
        self.needed += bytes;
    }

    fn end_round(&mut self) {
        let round = self.given.min(self.needed);
        (self.given, self.needed) = (0, 0);
        if round * ALIKE < self.largest {
            // Fades, so that a loop of smaller rounds is seen in the end.
            self.largest -= self.largest / ROUNDS as usize;
            return;
        }
        if round > self.largest.saturating_mul(ALIKE) {
            self.rounds = 0;
        }
        self.largest = self.largest.max(round);
        self.rounds += 1;
        if self.rounds == ROUNDS {
            self.bytes += self.largest;
            (self.rounds, self.largest) = (0, 0);
            (self.freed, self.least_free) = (0, usize::MAX);
        }
    }

    /// Notes what lies free now, before some of it is used.
    pub(crate) fn used_from(&mut self, free: usize) {
        self.least_free = self.least_free.min(free);
    }

    /// Notes what has become free, and gives up what went unused.
    pub(crate) fn freed(&mut self, bytes: usize) {
        self.freed += bytes;
        if self.freed / WORTH > self.bytes {
            self.bytes -= self.bytes.min(self.least_free);
            (self.freed, self.least_free) = (0, usize::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// A loop that drops and builds, as an allocator with `reserve` sees it: what exceeds the reserve goes back and is
    /// fetched again, `gap_ms` later.
    fn round(reserve: &mut Reserve, now_ms: &mut u64, bytes: usize, gap_ms: u64) {
        let beyond = bytes.saturating_sub(reserve.bytes());
        reserve.freed(bytes);
        if beyond > 0 {
            reserve.gave(beyond / 2, || *now_ms);
            reserve.gave(beyond - beyond / 2, || *now_ms);
        }
        *now_ms += gap_ms;
        reserve.used_from(reserve.bytes().saturating_sub(bytes));
        if beyond > 0 {
            reserve.fetched(beyond, || *now_ms);
        }
    }

    fn reserve_after(rounds: impl IntoIterator<Item = (usize, u64)>) -> usize {
        let (mut reserve, mut now_ms) = (Reserve::new(), 1_000_000);
        for (bytes, gap_ms) in rounds {
            round(&mut reserve, &mut now_ms, bytes, gap_ms);
        }
        reserve.bytes()
    }

    #[test]
    fn sixteen_rounds_earn_one_rounds_bytes() {
        let rounds = |count| reserve_after(vec![(20 * MIB, 1); count]);
        // A round has ended when the next one begins.
        assert_eq!(rounds(16), 0);
        assert_eq!(rounds(17), 20 * MIB);
        assert_eq!(rounds(1_000), 20 * MIB);
    }

    #[test]
    fn rounds_far_apart_earn_nothing() {
        assert_eq!(reserve_after(vec![(20 * MIB, SOON_MS); 100]), 20 * MIB);
        assert_eq!(reserve_after(vec![(20 * MIB, SOON_MS + 1); 100]), 0);
    }

    #[test]
    fn one_large_round_does_not_hide_a_loop_of_small_ones() {
        let large = std::iter::once((1_000 * MIB, 1));
        let rounds = |count| large.clone().chain(std::iter::repeat_n((MIB, 1), count));
        assert_eq!(reserve_after(rounds(20)), 0);
        let earned = reserve_after(rounds(200));
        assert!((MIB..8 * MIB).contains(&earned), "{earned}");
    }

    #[test]
    fn what_lies_unused_is_given_up() {
        let loops = std::iter::repeat_n((20 * MIB, 1), 20);
        let after = loops.chain(std::iter::repeat_n((2 * MIB, 1), 100));
        let left = reserve_after(after);
        assert!((2 * MIB..4 * MIB).contains(&left), "{left}");
    }

    #[test]
    fn growth_and_a_drop_earn_nothing() {
        let (mut reserve, now) = (Reserve::new(), || 5);
        for _ in 0..100 {
            reserve.fetched(MIB, now);
        }
        for _ in 0..100 {
            reserve.gave(MIB, now);
        }
        assert_eq!(reserve.bytes(), 0);
    }
}
