//! Any bytes are a document: raw, or a measured result with one thing after another put where it does not belong.
//!
//! ```text
//! bytes = kind edit*             kind % 4: 0 the rest is the document itself
//!                                          1 edits, then the text is damaged where the last of them says
//!                                          2, 3 edits
//! edit  = place place what much  place: a value of the document, counted from its beginning
//! ```
//!
//! Of what is put somewhere at random nearly all is refused by its type alone. Half of the edits keep the type, so
//! that what becomes of them is drawn.

use serde_json::{Map, Value, json};

/// The longest an array may grow: a result of some thousand checkpoints.
const LONGEST: usize = 4096;

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "-0.0",
    "5e-324",
    "1e308",
    "-1e308",
    "1e15",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
];

const TEXTS: [&str; 11] = [
    "",
    " ",
    "\n\n",
    "\0\u{1b}[31m",
    "\u{202e}\u{2066}",
    "\u{ffff}\u{e0041}",
    "<script>alert(1)</script>",
    "\"'`|&amp;{{x}}",
    "e\u{301}\u{301}",
    "default",
    "../../etc/passwd",
];

/// The measured result that edits begin with.
pub fn measured() -> Value {
    let text = include_str!("../documents/compare.json");
    serde_json::from_str(text).expect("a document")
}

/// The document that these bytes are.
pub fn document(bytes: &[u8]) -> Vec<u8> {
    let Some((kind, rest)) = bytes.split_first() else {
        return Vec::new();
    };
    if kind % 4 == 0 {
        return rest.to_vec();
    }
    let mut document = measured();
    for edit in rest.chunks_exact(4) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        let mut place = place % count(&document);
        let (what, much) = (edit[2], usize::from(edit[3]));
        visit(&mut document, &mut place, &mut |value| {
            change(value, what, much)
        });
    }
    let mut text = document.to_string().into_bytes();
    if kind % 4 == 1 {
        damage(&mut text, rest);
    }
    text
}

fn damage(text: &mut Vec<u8>, by: &[u8]) {
    let mut at = 0;
    for (step, byte) in by.iter().rev().take(4).enumerate() {
        at = (at * 251 + usize::from(*byte) + step) % text.len();
        text[at] = *byte;
    }
    if by.len().is_multiple_of(3) {
        text.truncate(at);
    }
}

/// How many values there are, those in others included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Shows the value at this place to `change`.
fn visit(value: &mut Value, place: &mut usize, change: &mut dyn FnMut(&mut Value)) {
    match place.checked_sub(1) {
        None => {
            change(value);
            *place = usize::MAX; // no further one
            return;
        }
        Some(usize::MAX) => return,
        Some(left) => *place = left,
    }
    let inner: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => return,
    };
    for value in inner {
        if *place == usize::MAX {
            return;
        }
        visit(value, place, change);
    }
}

fn change(value: &mut Value, what: u8, much: usize) {
    let text = || json!(TEXTS[much % TEXTS.len()].repeat(1 + much / 16));
    *value = match what % 16 {
        0 => Value::Null,
        1 => json!(much.is_multiple_of(2)),
        2 => number(much),
        3 => text(),
        4 => json!([]),
        5 => json!({}),
        // Deeper than a reader may go, at times.
        6 => (0..much).fold(Value::Null, |inner, depth| match depth % 2 {
            0 => json!([inner]),
            _ => Map::from_iter([("cells".to_owned(), inner)]).into(),
        }),
        7 => return leave_out(value, much),
        _ => match value.take() {
            Value::Null if what.is_multiple_of(2) => number(much),
            Value::Null => text(),
            Value::Bool(is) => json!(!is),
            Value::Number(known) if what.is_multiple_of(2) => moved(known, much),
            Value::Number(_) => number(much),
            Value::String(_) => text(),
            Value::Array(items) => repeated(items, much),
            Value::Object(fields) => Value::Object(fields),
        },
    };
}

fn number(which: usize) -> Value {
    let text = NUMBERS[which % NUMBERS.len()];
    serde_json::from_str(text).expect("a number")
}

/// Another one that is near.
fn moved(known: serde_json::Number, much: usize) -> Value {
    let by = much as i64 - 128;
    match known.as_i64() {
        Some(whole) => json!(whole.saturating_add(by)),
        None => json!(known.as_f64().unwrap_or(0.0) + by as f64 / 16.0),
    }
}

/// None, fewer or more.
fn repeated(items: Vec<Value>, much: usize) -> Value {
    let times = much % 8;
    let most = if much.is_multiple_of(3) {
        much / 8
    } else {
        LONGEST
    };
    let length = items.len();
    Value::Array(
        items
            .into_iter()
            .cycle()
            .take((length * times).min(most))
            .collect(),
    )
}

fn leave_out(value: &mut Value, which: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => drop(items.remove(which % items.len())),
        Value::Object(fields) => {
            let name = fields.keys().nth(which % fields.len().max(1)).cloned();
            name.map(|name| fields.remove(&name));
        }
        _ => {}
    }
}
