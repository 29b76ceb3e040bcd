//! Churn: pools are opened and closed all the time, while what is in use hardly changes.
//!
//! As where one thread builds what another drops. There are no rounds for a tide to see: each pool that is emptied is needed
//! again at once, and without more to spare than usual most of its pages would be given back and fetched in between.
//!
//! ```text
//! bytes of pools opened, in a window of WINDOW_MS  >=  TIMES * the most bytes that were open in it     =>  churn
//! ```
//!
//! As long as that goes on, more of what is open may be free beside it. It is a share of what is open, so that after a drop
//! nothing of it is left, whether it goes on or not; what survivors keep open is a reason to keep more free for one window.

/// How long what is true of a window counts. More keeps longer what a program no longer needs.
const WINDOW_MS: u64 = 500;

/// More takes a program that works slowly for one that does not churn; less a few rounds of building and dropping for one that
/// does.
const TIMES: usize = 4;

/// The clock is looked at once in so many times: to look costs as much as to open a pool.
const LOOK: u32 = 64;

/// See the top of this file.
pub(super) struct Churn {
    opened: usize,
    most_open: usize,
    began_ms: u64,
    /// Up to then there is churn; zero where there is none.
    until_ms: u64,
    /// How often that was asked since the clock was last looked at.
    asked: u32,
}

impl Churn {
    pub(super) const fn new() -> Self {
        Self {
            opened: 0,
            most_open: 0,
            began_ms: 0,
            until_ms: 0,
            asked: 0,
        }
    }

    /// A pool of so many bytes was opened, with which so many are open in all.
    pub(super) fn opens(&mut self, bytes: usize, open: usize, now_ms: impl FnOnce() -> u64) {
        self.opened += bytes;
        self.most_open = self.most_open.max(open);
        if self.opened < TIMES * self.most_open {
            return;
        }
        let now_ms = now_ms();
        if now_ms - self.began_ms <= WINDOW_MS {
            self.until_ms = now_ms + WINDOW_MS;
        }
        (self.opened, self.most_open, self.began_ms) = (0, open, now_ms);
    }

    /// Whether there is churn.
    pub(super) fn is_there(&self) -> bool {
        self.until_ms > 0
    }

    /// Finds out whether it has ended; true where that is so.
    pub(super) fn ends(&mut self, now_ms: impl FnOnce() -> u64) -> bool {
        self.asked += u32::from(self.is_there());
        if self.asked < LOOK {
            return false;
        }
        self.asked = 0;
        let ends = now_ms() > self.until_ms;
        if ends {
            self.until_ms = 0;
        }
        ends
    }

    /// What there was counts no more.
    pub(super) fn forget(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: usize = 64 << 10;

    /// Opens so many pools, one a millisecond, with so many open in all; whether there is churn then.
    fn churns(
        churn: &mut Churn,
        from_ms: u64,
        pools: usize,
        open: impl Fn(usize) -> usize,
    ) -> bool {
        for nth in 0..pools {
            churn.opens(POOL, open(nth) * POOL, || from_ms + nth as u64);
        }
        churn.is_there()
    }

    #[test]
    fn pools_that_come_and_go_at_one_level_are_churn_from_the_fourth_time_on() {
        let mut churn = Churn::new();
        assert!(!churns(&mut churn, 1, 79, |_| 20));
        assert!(churns(&mut churn, 80, 1, |_| 20));
    }

    #[test]
    fn it_ends_when_they_do_no_more() {
        let mut churn = Churn::new();
        assert!(churns(&mut churn, 1, 100, |_| 20));
        let ended_by = |churn: &mut Churn, ms| (0..LOOK).any(|_| churn.ends(|| ms));
        assert!(!ended_by(&mut churn, 80 + WINDOW_MS));
        assert!(ended_by(&mut churn, 81 + WINDOW_MS));
        assert!(!churn.is_there());
    }

    #[test]
    fn slow_ones_are_none() {
        assert!(!churns(&mut Churn::new(), 1, 1_000, |_| 200));
    }

    #[test]
    fn growth_is_none_nor_are_two_rounds_of_it() {
        assert!(!churns(&mut Churn::new(), 1, 400, |nth| nth % 200 + 1));
    }
}
