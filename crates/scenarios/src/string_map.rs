//! `string-map`: a hash map of strings of real-looking lengths, grown without a size hint.
//!
//! What most services hold. Strings of many sizes mix small and middle size classes, and the table
//! doubles through every power of two, leaving each of its former selves behind while the strings
//! go on piling up around the holes.

use std::hash::RandomState;

use fastrand::Rng;
use hashbrown::HashMap;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "string-map",
    summary: "a hash map of strings of 6 to 400 bytes, grown without a size hint",
    question: "does a container that grew by doubling come back, with blocks of many sizes?",
    unit: "strings",
    default_size: 500_000,
    footprint_bytes: |size| {
        size.saturating_mul(MOST_BYTES_PER_STRING)
            .saturating_add(4096)
    },
    build: |size, seed| boxed(|| StringMap::build(size, seed)),
};

/// Mean string of about 45 bytes, and a table that is at worst twice as large as it need be
/// with the half-sized table that it is being copied from beside it.
const MOST_BYTES_PER_STRING: u64 = 45 + 33 * 3;

struct StringMap {
    map: HashMap<String, u64, RandomState>,
    string_bytes: u64,
}

impl StringMap {
    fn build(size: u64, seed: u64) -> StringMap {
        let mut rng = Rng::with_seed(seed);
        let mut map = HashMap::with_hasher(RandomState::new());
        let mut string_bytes = 0;
        while (map.len() as u64) < size {
            let key = real_looking_string(&mut rng);
            let bytes = key.capacity() as u64;
            if map.insert(key, bytes).is_none() {
                string_bytes += bytes;
            }
        }
        StringMap { map, string_bytes }
    }
}

impl Object for StringMap {
    fn live_bytes(&self) -> u64 {
        self.string_bytes + self.map.allocation_size() as u64
    }
}

/// Lengths as keys of real maps have them: mostly identifiers, then paths and addresses, some text.
fn real_looking_string(rng: &mut Rng) -> String {
    let length = match rng.u8(0..10) {
        0..6 => rng.usize(6..=20),
        6..9 => rng.usize(20..=80),
        _ => rng.usize(80..=400),
    };
    let mut string = String::with_capacity(length);
    string.extend((0..length).map(|_| rng.lowercase()));
    string
}
