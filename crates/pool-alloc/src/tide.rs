//! The tide: how much free memory may stay resident because it is about to be needed again.
//!
//! What a program drops goes back, since nothing says that it will be wanted. A loop that drops and builds says so,
//! round after round, and each round pays for every page twice. So the memory in use is watched as it rises and falls:
//!
//! ```text
//!   bytes           _                     _
//!   in use        _/ \   _              _/ \   _
//!               _/    \_/ \           _/    \_/ \
//!             _/           \        _/           \
//!           _/              \______/              \______
//!                   |<->|                 |<->|                 small rounds
//!                 |<--------------------->|                     a large one
//! ```
//!
//! Loops nest, so rounds are counted for each *level*, a power of two of bytes. A level has a *float* that the surface
//! pushes up and down and that has some play, as much as the level's width; so it feels only what is larger:
//!
//! ```text
//! low <= bytes in use <= low + width          where a float has turned down and then up again, that was a round
//! ```
//!
//! After `ROUNDS` no larger than one before, soon one after another, there is a *reserve* of a round's size: so much may
//! stay resident at low water. As the water rises less is needed, and at high water only some slack:
//!
//! ```text
//! room = min(reserve, ceiling - bytes in use)         ceiling = the highest top of the last rounds, and the slack
//! ```
//!
//! The reserve ends when no such round has been seen for a while, be it that the program goes on otherwise: there are two
//! tides, for pools and for large blocks, and whichever looks at the clock looks after the other. Nothing happens because
//! time passes: a program that looped and then does nothing, or lives on the pools that it has, keeps one round's memory,
//! which is this design's weakness.
//!
//! ```text
//! reserve = 0 until so many rounds of a level were seen;     where memory does not go up and down there is none
//! ```
//!
//! It is never more than the *limit* that the program sets (`PoolAlloc::limit_reserve`), which is none at first; and nothing,
//! where that is less than what is kept anyway.

#[cfg(test)]
#[path = "tide/tests.rs"]
mod tests;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use crate::commons::DIRTY_MIN;
use crate::sync::AtomicUsize;

/// Rounds that must be seen. More keeps less in programs that repeat themselves a few times and then do something
/// else, fewer pays for fewer rounds before the reserve is there. Of large rounds fewer will do: each costs more, and
/// they are less often an accident.
const ROUNDS: u8 = 6;
const LARGE_ROUNDS: u8 = 3;
const LARGE: usize = 4 << 20;

/// Milliseconds that what was given back may lie before it is needed again; what waits longer, others could have used.
/// The time to write it counts, hence some more for each MiB.
const SOON_MS: u64 = 100;
const SOON_MS_PER_MIB: u64 = 1;

/// A level is forgotten when so many times that passed without a round.
const LAPSE: u64 = 10;

/// The least level's width: what is less stays without a reserve.
const LEAST: usize = DIRTY_MIN;

/// Up to 128 GiB.
const LEVELS: usize = 21;

/// A round of so many widths or more is another level's.
const ALIKE: usize = 4;

/// Beyond the largest round, the reserve has one part in so many for what does not fit where the last round lay. Less
/// makes some of each round be fetched all the same, more keeps more.
const SLACK: usize = 3;

/// The largest of the last rounds counts, of at least so many and at most twice as many.
const WINDOW: u8 = 16;

/// See the top of this file.
pub(crate) struct Tide {
    floats: [Float; LEVELS],
    reserve: Reserve,
    /// The most that it may be.
    limit: usize,
    /// What is in use.
    bytes: usize,
}

/// What may stay resident.
#[derive(Clone, Copy)]
struct Reserve {
    bytes: usize,
    /// No more than this together with what is in use.
    ceiling: usize,
    /// After this it may have ended.
    until_ms: u64,
}

impl Reserve {
    const NONE: Self = Self {
        bytes: 0,
        ceiling: 0,
        until_ms: u64::MAX,
    };
}

/// What a level knows. All sizes in bytes of memory in use, all times in milliseconds.
struct Float {
    low: usize,
    rises: bool,
    /// Where it last turned down.
    top: usize,
    /// When it was last pushed down, and when a round was last seen.
    fell_ms: u64,
    round_ms: u64,
    rounds: u8,
    /// The largest round of this window and of the last, and the highest top.
    largest: [usize; 2],
    highest: [usize; 2],
    /// Rounds in this window.
    seen: u8,
}

impl Float {
    /// The surface stands at `bytes`.
    fn feel(&mut self, width: usize, bytes: usize, now_ms: u64) -> Felt {
        if bytes < self.low {
            if self.rises {
                self.rises = false;
                self.top = self.low + width;
            }
            self.low = bytes;
            self.fell_ms = now_ms;
            Felt::Push
        } else if bytes > self.low + width {
            let mut felt = Felt::Push;
            if !self.rises {
                self.rises = true;
                let (before, had_lapsed) = (self.worth(), self.has_lapsed(width, now_ms));
                self.count(width, now_ms);
                if had_lapsed || self.worth() != before {
                    felt = Felt::News;
                }
            }
            self.low = bytes - width;
            felt
        } else {
            Felt::Nothing
        }
    }

    /// Counts the round that ends now, with the float at its lowest.
    fn count(&mut self, width: usize, now_ms: u64) {
        let round = self.top - self.low;
        if round >= ALIKE * width {
            return;
        }
        if now_ms.saturating_sub(self.fell_ms) > soon_ms(width) {
            self.rounds = 0;
            return;
        }
        self.round_ms = now_ms;
        // What grows by doubling drops the smaller each time: a record is no repetition.
        if round <= self.largest() {
            self.rounds = ROUNDS.min(self.rounds + 1);
        }
        self.seen += 1;
        if self.seen > WINDOW {
            self.seen = 1;
            self.largest = [0, self.largest[0]];
            self.highest = [0, self.highest[0]];
        }
        self.largest[0] = self.largest[0].max(round);
        self.highest[0] = self.highest[0].max(self.top);
    }

    fn largest(&self) -> usize {
        self.largest[0].max(self.largest[1])
    }

    fn highest(&self) -> usize {
        self.highest[0].max(self.highest[1])
    }

    /// All that a reserve depends on but the time.
    fn worth(&self) -> (u8, usize, usize) {
        (self.rounds, self.largest(), self.highest())
    }

    /// When it is forgotten, unless there are more rounds.
    fn until_ms(&self, width: usize) -> u64 {
        self.round_ms + LAPSE * soon_ms(width)
    }

    fn has_lapsed(&self, width: usize, now_ms: u64) -> bool {
        now_ms > self.until_ms(width)
    }

    /// What may stay resident for this level's sake.
    fn reserve(&self, width: usize, now_ms: u64) -> Option<Reserve> {
        let enough = if width < LARGE { ROUNDS } else { LARGE_ROUNDS };
        let slack = self.largest() / SLACK;
        let counts = self.rounds >= enough && !self.has_lapsed(width, now_ms);
        counts.then_some(Reserve {
            bytes: self.largest() + slack,
            ceiling: self.highest() + slack,
            until_ms: self.until_ms(width),
        })
    }
}

/// What the surface does to a float.
enum Felt {
    Nothing,
    Push,
    /// The push that ends a round unlike those before, or the first after a lapse.
    News,
}

/// What everyone may know of a tide without the lock that it is under: in a line of its own, which no write to what lies
/// beside it takes from them.
#[repr(align(128))]
pub(crate) struct Told {
    reserve: AtomicUsize,
    is_limited: AtomicBool,
    until_ms: AtomicU64,
}

impl Told {
    pub(crate) const fn new() -> Self {
        Self {
            reserve: AtomicUsize::new(0),
            is_limited: AtomicBool::new(false),
            until_ms: AtomicU64::new(u64::MAX),
        }
    }

    /// Bytes of the reserve.
    pub(crate) fn reserve(&self) -> usize {
        self.reserve.load(Relaxed)
    }

    /// Whether a loop goes on, for which memory is kept.
    pub(crate) fn has_reserve(&self) -> bool {
        self.reserve() > 0
    }

    /// Whether threads may keep something for themselves, beside the reserve: that would add up to more than a limit.
    pub(crate) fn lets_threads_keep(&self) -> bool {
        self.has_reserve() && !self.is_limited()
    }

    /// Whether the program has set a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.is_limited.load(Relaxed)
    }

    /// The time, where the reserve may have ended by now. The clock is read only while there may be one.
    pub(crate) fn ended_by(&self, now_ms: impl FnOnce() -> u64) -> Option<u64> {
        let until_ms = self.until_ms.load(Relaxed);
        (until_ms != u64::MAX)
            .then(now_ms)
            .filter(|now_ms| *now_ms > until_ms)
    }

    /// Under the tide's lock; returns whether the reserve has just ended.
    pub(crate) fn tell(&self, tide: &Tide) -> bool {
        let had_one = self.has_reserve();
        let is_limited = tide.limit != usize::MAX;
        // Every thread reads this, so it is written to only where it changes.
        if self.is_limited() != is_limited {
            self.is_limited.store(is_limited, Relaxed);
        }
        if self.reserve() != tide.reserve() || self.until_ms.load(Relaxed) != tide.until_ms() {
            self.put(tide.reserve(), tide.until_ms());
        }
        had_one && tide.reserve() == 0
    }

    /// Tells of so many bytes, until then.
    pub(crate) fn put(&self, reserve: usize, until_ms: u64) {
        self.reserve.store(reserve, Relaxed);
        self.until_ms.store(until_ms, Relaxed);
    }
}

fn soon_ms(width: usize) -> u64 {
    SOON_MS + (width as u64 >> 20) * SOON_MS_PER_MIB
}

const fn width(level: usize) -> usize {
    LEAST << level
}

impl Tide {
    pub(crate) const fn new() -> Self {
        Self {
            floats: [const {
                Float {
                    low: 0,
                    rises: true,
                    top: 0,
                    fell_ms: 0,
                    round_ms: 0,
                    rounds: 0,
                    largest: [0; 2],
                    highest: [0; 2],
                    seen: 0,
                }
            }; LEVELS],
            reserve: Reserve::NONE,
            limit: usize::MAX,
            bytes: 0,
        }
    }

    /// Forgets what was seen.
    pub(crate) fn forget(&mut self) {
        *self = Self {
            limit: self.limit,
            ..Self::new()
        };
    }

    /// Sets the limit, from now on.
    pub(crate) fn limit(&mut self, bytes: usize, now_ms: u64) {
        self.limit = if bytes < LEAST { 0 } else { bytes };
        self.judge(now_ms);
    }

    /// What no reserve may exceed.
    pub(crate) fn limited_to(&self) -> usize {
        self.limit
    }

    /// Bytes that may stay resident at low water though they are not in use.
    pub(crate) fn reserve(&self) -> usize {
        self.reserve.bytes
    }

    /// Bytes that may stay resident now.
    pub(crate) fn room(&self) -> usize {
        let below_ceiling = self.reserve.ceiling.saturating_sub(self.bytes);
        self.reserve.bytes.min(below_ceiling)
    }

    /// When the reserve may have ended; never, while there is none.
    fn until_ms(&self) -> u64 {
        self.reserve.until_ms
    }

    /// Finds out whether the reserve has ended.
    pub(crate) fn look(&mut self, now_ms: u64) {
        if now_ms > self.until_ms() {
            self.judge(now_ms);
        }
    }

    /// Notes how much is in use now. `now_ms` reads the clock, which happens when that has moved by an eighth of a
    /// MiB, or goes on moving; then it returns the time.
    pub(crate) fn stands_at(&mut self, bytes: usize, now_ms: impl FnOnce() -> u64) -> Option<u64> {
        self.bytes = bytes;
        let least = &self.floats[0];
        if bytes >= least.low && bytes <= least.low + LEAST {
            return None;
        }
        let now_ms = now_ms();
        let mut has_news = now_ms > self.reserve.until_ms;
        for (level, float) in self.floats.iter_mut().enumerate() {
            match float.feel(width(level), bytes, now_ms) {
                // What does not move one float moves none of those above it, which have more play.
                Felt::Nothing => break,
                Felt::Push => {}
                Felt::News => has_news = true,
            }
        }
        if has_news {
            self.judge(now_ms);
        }
        Some(now_ms)
    }

    /// Finds the reserve, which is that of the level with the most. One that goes on is not looked at again before it
    /// might have ended.
    fn judge(&mut self, now_ms: u64) {
        let levels = self.floats.iter().enumerate();
        let reserves = levels.filter_map(|(level, float)| float.reserve(width(level), now_ms));
        self.reserve = reserves.fold(Reserve::NONE, |all, level| Reserve {
            bytes: all.bytes.max(level.bytes).min(self.limit),
            ceiling: all.ceiling.max(level.ceiling),
            until_ms: all.until_ms.min(level.until_ms),
        });
    }
}
