//! Something for a compiler to work on: it is compiled by a test, and never run.

use std::collections::BTreeMap;

fn main() {
    let mut words: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, word) in std::env::args().enumerate() {
        words.entry(word).or_default().push(number);
    }
    println!("{words:?}");
}
