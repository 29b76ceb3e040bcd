//! `cache`: a cache that has evicted most of what ever was in it, and is then emptied.
//!
//! Why does a cache that keeps to its limit not shrink when it is emptied? XRPLF/rippled#6022 and
//! bobmatnyc/trusty-tools#3665 sweep theirs and stay as large as they were. Entries of all sizes
//! come and go in the order of their use, so that neighbours in memory are of every age. Eviction
//! is by second chance, which is what most caches mean by least recently used.

use std::hash::RandomState;
use std::hint::black_box;

use fastrand::Rng;
use hashbrown::HashMap;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "cache",
    summary: "a full cache of entries of 100 to 10,000 bytes after many evictions",
    question: "does memory come back when a cache that has seen many evictions is emptied?",
    unit: "entries",
    default_size: 30_000,
    footprint_bytes: |size| size.saturating_mul(MOST_BYTES).saturating_add(1 << 16),
    build: |size, seed| boxed(|| Cache::build(size, seed)),
};

/// The mean entry of about 2,150 bytes, its place, and its share of the map.
const MOST_BYTES: u64 = 2_300 + size_of::<Entry>() as u64 + 4 * 17;

/// Requests to each place in the cache, and keys that they choose from.
const REQUESTS: u64 = 6;
const KEYS: u64 = 3;

struct Entry {
    key: u64,
    value: Box<[u8]>,
    used: bool,
}

struct Cache {
    entries: Vec<Entry>,
    places: HashMap<u64, usize, RandomState>,
    hand: usize,
}

impl Cache {
    fn build(size: u64, seed: u64) -> Cache {
        let mut rng = Rng::with_seed(seed);
        let mut cache = Cache {
            entries: Vec::with_capacity(size as usize),
            places: HashMap::with_hasher(RandomState::new()),
            hand: 0,
        };
        for _ in 0..REQUESTS * size {
            // The smaller of two draws: some keys are asked for more often than others.
            let key = rng.u64(0..KEYS * size).min(rng.u64(0..KEYS * size));
            cache.request(key, &mut rng);
        }
        cache
    }

    fn request(&mut self, key: u64, rng: &mut Rng) {
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].used = true;
            return;
        }
        let entry = Entry {
            key,
            value: value(rng),
            used: false,
        };
        let place = if self.entries.len() < self.entries.capacity() {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            let place = self.least_used();
            self.places.remove(&self.entries[place].key);
            self.entries[place] = entry;
            place
        };
        self.places.insert(key, place);
    }

    /// The next place whose entry has not been used since the hand last passed it.
    fn least_used(&mut self) -> usize {
        loop {
            let place = self.hand;
            self.hand = (place + 1) % self.entries.len();
            if !std::mem::take(&mut self.entries[place].used) {
                return place;
            }
        }
    }
}

impl Object for Cache {
    fn live_bytes(&self) -> u64 {
        let values = self.entries.iter().map(|entry| entry.value.len() as u64);
        let places = self.entries.capacity() * size_of::<Entry>() + self.places.allocation_size();
        values.sum::<u64>() + places as u64
    }
}

/// From 100 to 10,000 bytes, every order of magnitude as likely as any other.
fn value(rng: &mut Rng) -> Box<[u8]> {
    let bytes = 100.0 * 100f64.powf(rng.f64());
    black_box(vec![1; bytes as usize].into_boxed_slice())
}
