//! The JSON Schemas of the documents, out of the nouns themselves.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{Benchmark, Comparison, Controls, Curves, Differences, Explanation, Predictions};

/// A document that a command prints as JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Document {
    /// Of `compare` and `merge`; `docs/compare.schema.json` is a copy of its schema.
    Comparison,
    /// Of `diff` and `compare --baseline`.
    Differences,
    /// Of `explain`.
    Explanation,
    /// Of `curve`.
    Curves,
    /// Of `bench`.
    Benchmark,
    /// Of `python`.
    Predictions,
    /// Of `controls`.
    Controls,
}

impl Document {
    /// The document's JSON Schema, of draft 2020-12, as it is written.
    pub fn schema(self) -> Value {
        let generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator();
        let schema = match self {
            Document::Comparison => generator.into_root_schema_for::<Comparison>(),
            Document::Differences => generator.into_root_schema_for::<Differences>(),
            Document::Explanation => generator.into_root_schema_for::<Explanation>(),
            Document::Curves => generator.into_root_schema_for::<Curves>(),
            Document::Benchmark => generator.into_root_schema_for::<Benchmark>(),
            Document::Predictions => generator.into_root_schema_for::<Predictions>(),
            Document::Controls => generator.into_root_schema_for::<Controls>(),
        };
        schema.to_value()
    }
}
