//! A document, and the blocks in it that commands have written.
//!
//! ````text
//! <!-- $ cargo xtask compare --scenario int-list -->
//! ```
//! what the command printed
//! ```
//! <!-- end -->
//! ````
//!
//! A block that stands in a fence stays in it, any other is Markdown. What a command that times something
//! printed is another one each time: its marker has a `~` for the `$`, and it is no block here, so that nobody
//! takes it for stale.

/// What stands before a command.
const BEGIN: &str = "<!-- $ ";
const CLOSE: &str = "-->";
const END: &str = "<!-- end -->";
const FENCE: &str = "```";

/// A block and the command that wrote it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Block<'a> {
    pub(super) command: &'a str,
    /// The number of the marker's line, from 1.
    pub(super) line: usize,
    /// The lines between the markers, fence and all.
    content: &'a str,
    /// Where these stand in the document, in bytes.
    start: usize,
}

impl<'a> Block<'a> {
    /// The content as it is to be where the command prints `output`.
    pub(super) fn with(&self, output: &str) -> String {
        let output = output.trim_end();
        match self.is_fenced(output) {
            true => format!("{FENCE}\n{output}\n{FENCE}\n"),
            false => format!("{output}\n"),
        }
    }

    pub(super) fn content(&self) -> &'a str {
        self.content
    }

    /// A block that is still empty gets a fence, unless for a table of Markdown.
    fn is_fenced(&self, output: &str) -> bool {
        match self.content.trim().is_empty() {
            true => !output.starts_with('|'),
            false => self.content.starts_with(FENCE),
        }
    }
}

/// The blocks of a document, in their order.
///
/// # Errors
/// The line and what is wrong there, for a marker that is no block's.
pub(super) fn blocks(document: &str) -> Result<Vec<Block<'_>>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    let mut place = 0;
    for (number, line) in (1..).zip(document.split_inclusive('\n')) {
        let after = place + line.len();
        let text = line.trim_end();
        if let Some(rest) = text.strip_prefix(BEGIN) {
            if let Some((_, begin, _)) = open {
                return Err(format!("{number}: the block of line {begin} has no {END}"));
            }
            let command = rest.strip_suffix(CLOSE).map(str::trim);
            let command = command.filter(|command| !command.is_empty());
            let fault = || format!("{number}: a marker is {BEGIN}COMMAND {CLOSE}");
            open = Some((command.ok_or_else(fault)?, number, after));
        } else if text == END
            && let Some((command, line, start)) = open.take()
        {
            let content = &document[start..place];
            blocks.push(Block {
                command,
                line,
                content,
                start,
            });
        }
        place = after;
    }
    match open {
        Some((_, begin, _)) => Err(format!("{begin}: this block has no {END}")),
        None => Ok(blocks),
    }
}

/// The document with other contents in its blocks, one for each.
pub(super) fn spliced(document: &str, blocks: &[Block], contents: &[String]) -> String {
    let mut text = String::with_capacity(document.len());
    let mut copied = 0;
    for (block, content) in blocks.iter().zip(contents) {
        text += &document[copied..block.start];
        text += content;
        copied = block.start + block.content.len();
    }
    text + &document[copied..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "a\n<!-- $ one -->\n```\nold\n```\n<!-- end -->\nb\n<!-- ~ timed -->\nc\n\
                            <!-- end -->\n<!-- $ two | sort -->\n| old |\n<!-- end -->\nd";

    #[test]
    fn a_block_stays_in_its_fence_and_all_around_it_as_it_is() {
        let blocks = blocks(DOCUMENT).expect("blocks");
        let found: Vec<_> = blocks.iter().map(|b| (b.command, b.line)).collect();
        assert_eq!(found, [("one", 2), ("two | sort", 11)]);
        let contents: Vec<String> = blocks.iter().map(|b| b.with("new\n\n")).collect();
        let new = spliced(DOCUMENT, &blocks, &contents);
        assert_eq!(
            new,
            DOCUMENT
                .replace("old\n```", "new\n```")
                .replace("| old |", "new")
        );
        let same: Vec<String> = blocks.iter().map(|b| b.content().to_owned()).collect();
        assert_eq!(spliced(DOCUMENT, &blocks, &same), DOCUMENT);
    }

    #[test]
    fn an_empty_block_gets_a_fence_unless_for_a_table() {
        let blocks = blocks("<!-- $ one -->\n<!-- end -->").expect("a block");
        assert_eq!(blocks[0].with("| new |"), "| new |\n");
        assert_eq!(blocks[0].with("new"), "```\nnew\n```\n");
    }

    #[track_caller]
    fn check_fault(document: &str, fault: &str) {
        assert_eq!(blocks(document).expect_err("a fault"), fault);
    }

    #[test]
    fn a_marker_that_is_no_blocks_is_named_with_its_line() {
        check_fault("\n<!-- $ one -->\n", "2: this block has no <!-- end -->");
        check_fault(
            "<!-- $ one -->\n<!-- $ two -->\n<!-- end -->",
            "2: the block of line 1 has no <!-- end -->",
        );
        check_fault(
            "<!-- $ -->\n<!-- end -->",
            "1: a marker is <!-- $ COMMAND -->",
        );
        check_fault(
            "<!-- $ one\n<!-- end -->",
            "1: a marker is <!-- $ COMMAND -->",
        );
    }
}
