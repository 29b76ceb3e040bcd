//! A document read back, whatever stands in it: a comparison, or one line that says why it is none.

use serde::Deserialize;

use crate::{Comparison, SCHEMA_VERSION};

impl Comparison {
    /// The comparison that these bytes are.
    ///
    /// # Errors
    /// In a line, why they are none.
    pub fn read(text: &[u8]) -> Result<Comparison, String> {
        let kind: Kind = serde_json::from_slice(text).map_err(|error| unreadable(&error))?;
        if kind.workloads.is_some() {
            return Err("it is a benchmark; give what compare wrote".to_owned());
        }
        if kind.cells.is_none() {
            return Err("it holds no cells; give what compare wrote".to_owned());
        }
        match kind.schema_version {
            Some(version) if version == u64::from(SCHEMA_VERSION) => {}
            Some(version) => {
                return Err(format!(
                    "its schema_version is {version} and this afterdrop reads {SCHEMA_VERSION}: measure \
                     again, or use the afterdrop that wrote it"
                ));
            }
            None => return Err("it names no schema_version; give what compare wrote".to_owned()),
        }
        let comparison: Comparison =
            serde_json::from_slice(text).map_err(|error| unreadable(&error))?;
        match comparison.shard {
            Some(shard) if shard.index == 0 || shard.index > shard.of => {
                Err(format!("there is no shard {shard}"))
            }
            _ => Ok(comparison),
        }
    }
}

/// What is read first of a document, to say what it is.
#[derive(Deserialize)]
struct Kind {
    schema_version: Option<u64>,
    workloads: Option<serde::de::IgnoredAny>,
    cells: Option<serde::de::IgnoredAny>,
}

/// What is wrong, and where, without what the file says: that may be anything.
fn unreadable(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("it ends in the middle, at {place}"),
        serde_json::error::Category::Syntax => {
            format!("it is no JSON, at {place}")
        }
        _ => format!("it is no result of compare: a value of the wrong type at {place}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// A result of one failed cell.
    fn result() -> Value {
        json!({
            "schema_version": SCHEMA_VERSION,
            "afterdrop_version": "0.1.0",
            "command": "cargo xtask compare",
            "host": {
                "os": null, "kernel": null, "glibc": null, "architecture": "x86_64", "cpu_count": 2,
                "page_size_bytes": 4096, "memory_kib": 1, "available_kib": 1, "huge_pages": null,
                "lab_conditions": [],
            },
            "cells": [{
                "allocator": "<b>\"a\u{202e}\n</b>", "allocator_title": null, "allocator_version": null,
                "scenario": "s", "python": null, "size": 1, "seed": 1, "knob": "default",
                "conditions": "lab", "upheld": null, "release_call": null, "status": "failed",
                "failure": "it died", "checkpoints": [], "verdict": null,
            }],
            "interrupted": false,
            "timings": {
                "subject_ms": 1.0, "account_ms": 0.0, "probe_ms": 0.0, "driver_ms": 0.0,
                "after_drop_ms": 0.0,
            },
        })
    }

    /// What is refused, in a line.
    #[track_caller]
    fn check(text: &[u8], line: &str) {
        assert_eq!(Comparison::read(text).expect_err("it is refused"), line);
    }

    #[test]
    fn what_was_written_before_shards_and_machines_is_read() {
        let text = result().to_string();
        let read = Comparison::read(text.as_bytes()).expect("it is a result");
        assert_eq!((read.cells.len(), read.shard), (1, None));
    }

    #[test]
    fn what_is_no_result_is_refused_with_the_place() {
        let text = result().to_string();
        let half = &text.as_bytes()[..text.len() / 2];
        let column = half.len();
        check(b"", "it ends in the middle, at line 1, column 0");
        check(
            half,
            &format!("it ends in the middle, at line 1, column {column}"),
        );
        check(
            b"[1]x",
            "it is no result of compare: a value of the wrong type at line 1, column 3",
        );
        check(b"{\"cells\":x}", "it is no JSON, at line 1, column 10");
        let nested = "[".repeat(100_000);
        check(
            format!("{{\"cells\":{nested}").as_bytes(),
            "it ends in the middle, at line 1, column 100009",
        );
    }

    #[test]
    fn other_documents_are_told_apart() {
        let with = |name: &str, value: Value| {
            let mut result = result();
            result[name] = value;
            result.to_string().into_bytes()
        };
        let version = SCHEMA_VERSION + 1;
        check(
            &with("schema_version", json!(version)),
            &format!(
                "its schema_version is {version} and this afterdrop reads {SCHEMA_VERSION}: measure \
                 again, or use the afterdrop that wrote it"
            ),
        );
        check(
            &with("workloads", json!([])),
            "it is a benchmark; give what compare wrote",
        );
        check(
            &with("shard", json!({"index": 3, "of": 2})),
            "there is no shard 3/2",
        );
        check(
            &with("shard", json!({"index": 0, "of": 0})),
            "there is no shard 0/0",
        );
        check(b"{}", "it holds no cells; give what compare wrote");
        check(
            b"{\"cells\":[]}",
            "it names no schema_version; give what compare wrote",
        );
        let typed = Comparison::read(&with("interrupted", json!("no"))).expect_err("it is refused");
        assert!(typed.starts_with("it is no result of compare: a value of the wrong type at"));
    }

    proptest! {
        /// Whatever is done to a result's bytes, it is read or refused with one line.
        #[test]
        fn bytes_are_read_or_refused(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
                                     cut in any::<prop::sample::Index>()) {
            let mut text = result().to_string().into_bytes();
            for (place, byte) in changes {
                let place = place.index(text.len());
                text[place] = byte;
            }
            text.truncate(cut.index(text.len()) + 1);
            if let Err(line) = Comparison::read(&text) {
                prop_assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
            }
        }

        /// Whatever stands in a field instead of what belongs there.
        #[test]
        fn values_of_another_type_are_read_or_refused(which: prop::sample::Index, value in 0..6_usize) {
            let mut result = result();
            let fields: Vec<String> = result.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            let values = [json!(null), json!(-1), json!(1e300), json!("x"), json!([[]]), json!({"a": {}})];
            result[&fields[which.index(fields.len())]] = values[value].clone();
            if let Err(line) = Comparison::read(result.to_string().as_bytes()) {
                prop_assert!(!line.contains('\n'), "{line:?}");
            }
        }
    }
}
