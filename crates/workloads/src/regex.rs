//! `regex`: regular expressions are compiled and dropped (regex).
//!
//! A parser, a tree, an automaton, tables: blocks of many sizes that live for many different times.

use std::hint::black_box;

use regex::Regex;

use crate::{Pass, Start, Workload};

pub(crate) const REGEX: Workload = Workload {
    name: "regex",
    summary: "regular expressions of everyday sizes, compiled and dropped",
    operation: "an expression compiled and dropped",
    start: Start::Warm,
    passes: 5,
    size: 120,
    prepare,
    limits: &[],
};

const PATTERNS: [&str; 8] = [
    r"^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$",
    r"(?i)\b(?:error|warning|fatal|panic)\b.*",
    r"^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$",
    r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$",
    r"\p{Lu}\p{Ll}+(?:\s+\p{Lu}\p{Ll}+)*",
    r#""(?:[^"\\]|\\.)*""#,
    r"^(https?)://([^/:?#]+)(?::(\d+))?(/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$",
    r"(foo|bar|baz|quux|corge|grault|garply|waldo|fred|plugh|xyzzy|thud)+",
];

/// `size` expressions a pass, in turns.
fn prepare(size: u64) -> Pass {
    Box::new(move || {
        for pattern in PATTERNS.iter().cycle().take(size as usize) {
            drop(black_box(Regex::new(pattern).expect("well-formed")));
        }
        size
    })
}
