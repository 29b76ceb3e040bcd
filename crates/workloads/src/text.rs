//! Texts to work on, made before the clock runs and the same each time.

use fastrand::Rng;

/// Strings of lengths as keys of real maps have them: mostly identifiers, then paths and
/// addresses, some text.
pub(crate) fn strings(count: u64) -> Vec<Box<str>> {
    let mut rng = Rng::with_seed(1);
    (0..count)
        .map(|_| {
            let length = match rng.u8(0..10) {
                0..6 => rng.usize(6..=20),
                6..9 => rng.usize(20..=80),
                _ => rng.usize(80..=400),
            };
            word(&mut rng, length).into()
        })
        .collect()
}

/// A word of this length.
pub(crate) fn word(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| rng.lowercase()).collect()
}
