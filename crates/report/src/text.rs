//! Text that somebody else wrote (names, failures, command lines): shown, and not obeyed.

/// As it may stand on a terminal: what would move the cursor, begin a line or turn the direction of writing is shown
/// as an escape.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_obeyed(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// The same of JSON, which stays JSON and says what it said: of these characters only line breaks stand outside of
/// its strings.
pub fn shown_in_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match is_obeyed(c) && c != '\n' {
            true => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                shown.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            false => shown.push(c),
        }
    }
    shown
}

/// As it may stand in Markdown, in a table too: nothing in it is markup.
pub(crate) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in shown(text).chars() {
        if "\\|<>*_`[]#&~".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Controls, and what formats, joins, fills or turns the direction of writing without being seen: two names that
/// differ in these alone would look like one. The last two are no characters, and no XML may have them.
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(shown("a\n\u{1b}[2Jb\u{202e}c"), "a\\n\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(shown("jemalloc décay-0 ✓"), "jemalloc décay-0 ✓");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_in_json_and_read_again() {
        let hostile = "a\n\u{1b}[2Jb\u{202e}\u{9b}é\u{e0041}";
        let json = serde_json::to_string_pretty(&[hostile]).expect("JSON");
        let there = shown_in_json(&json);
        assert_eq!(
            there,
            "[\n  \"a\\n\\u001b[2Jb\\u202e\\u009bé\\udb40\\udc41\"\n]"
        );
        let read: [String; 1] = serde_json::from_str(&there).expect("JSON");
        assert_eq!(read, [hostile]);
    }

    #[test]
    fn what_markdown_would_obey_is_shown() {
        let hostile = "<script>|`*_[x](y)\n# h";
        let expected = r"\<script\>\|\`\*\_\[x\](y)\\n\# h";
        assert_eq!(markdown(hostile), expected);
    }
}
