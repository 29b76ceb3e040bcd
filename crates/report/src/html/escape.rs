//! What a result says is shown, and nothing of it is run: escaping for HTML that also makes visible what
//! would not be seen or would turn the text around it.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::text::is_obeyed;

/// Every text of a template passes through this: `askama.toml` says so.
#[derive(Clone, Copy, Default)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        match text.contains(is_obeyed) {
            true => Html.write_escaped_str(dest, &visible(text)),
            false => Html.write_escaped_str(&mut dest, text),
        }
    }
}

/// The text with a stand-in for each character that is not seen: `␊` of a line feed, `[U+202E]` of a mark
/// that turns the direction of writing.
pub(crate) fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Unicode has a picture of each of these, in their order.
            '\0'..='\x1f' => seen.extend(char::from_u32(0x2400 + c as u32)),
            '\x7f' => seen.push('\u{2421}'),
            c if is_obeyed(c) => seen += &format!("[U+{:04X}]", c as u32),
            c => seen.push(c),
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_has_a_stand_in() {
        assert_eq!(visible("a\u{202e}b\n\u{7f}c"), "a[U+202E]b␊␡c");
        assert_eq!(visible("a\u{3164}\u{ffff}"), "a[U+3164][U+FFFF]");
        assert_eq!(visible("日本語 — é"), "日本語 — é");
    }

    #[test]
    fn markup_is_text() {
        let check = |after: &str, shown: &str| {
            let mut text = String::new();
            let markup = format!("<b a=\"'\">&{after}");
            assert_eq!(Visible.write_escaped_str(&mut text, &markup), Ok(()));
            assert_eq!(text, format!("&#60;b a=&#34;&#39;&#34;&#62;&#38;{shown}"));
        };
        check("", "");
        check("\u{200f}", "[U+200F]");
    }
}
