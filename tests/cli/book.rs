//! The documents: their links lead somewhere, the book names every page, and the commands in it can be typed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::run::{finish, root, xtask};

/// The README, the book and the crates' own.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "docs", "crates/pool-alloc", "crates/pool-malloc"];
    let files = folders.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path())
    });
    let is_markdown = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    files.filter(is_markdown).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parsed(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// Where the links of a document lead, without those that leave the project.
fn links(text: &str) -> Vec<String> {
    let links = parsed(text).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    links.filter(|link| !link.contains("://")).collect()
}

/// The fragments of a document's headings, as code hosts make them.
fn headings(text: &str) -> BTreeSet<String> {
    let mut headings = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in parsed(text) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), _) => {
                let words = heading.take().unwrap_or_default().to_lowercase();
                let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
                headings.insert(
                    words
                        .chars()
                        .filter(kept)
                        .collect::<String>()
                        .replace(' ', "-"),
                );
            }
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(&text),
            _ => {}
        }
    }
    headings
}

#[test]
fn every_link_leads_somewhere() {
    for document in documents() {
        let text = read(&document);
        for link in links(&text) {
            let (file, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => document.clone(),
                file => document.parent().expect("a folder").join(file),
            };
            let place = format!("{}: {link}", document.display());
            assert!(target.exists(), "{place} leads nowhere");
            // A folder shows its own README.
            let target = match target.is_dir() {
                true => target.join("README.md"),
                false => target,
            };
            if !fragment.is_empty() {
                assert!(
                    headings(&read(&target)).contains(fragment),
                    "{place}: no such heading"
                );
            }
        }
    }
}

#[test]
fn the_book_names_every_page_of_it() {
    let book = root().join("docs");
    let named = links(&read(&book.join("README.md")));
    for page in std::fs::read_dir(book).expect("a folder") {
        let name = page
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("text");
        let is_page = name.ends_with(".md") && name != "README.md";
        assert!(
            !is_page || named.contains(&name),
            "docs/README.md does not name {name}"
        );
    }
}

#[test]
fn the_commands_in_the_documents_can_be_typed() {
    let mut tried = 0;
    for document in documents() {
        for command in commands(&read(&document)) {
            let Some(mut words) = shlex::split(&command) else {
                panic!("{}: no shell reads {command}", document.display());
            };
            // What stands for a number is one; and help stops before anything is done, and after a fault.
            words
                .iter_mut()
                .filter(|word| *word == "N")
                .for_each(|word| *word = "1".to_owned());
            words.push("--help".to_owned());
            let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
            let outcome = finish(&mut xtask(&arguments));
            let (place, fault) = (document.display(), outcome.stderr);
            assert_eq!(outcome.status, 0, "{place}: cargo xtask {command}: {fault}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

/// The arguments of each `cargo xtask` in the code of a document, in inline code too.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_code = false;
    for event in parsed(text) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(code) if in_code => {
                let lines = code.replace("\\\n", " ");
                let typed = lines
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("cargo xtask "));
                commands.extend(typed.map(without_comment));
            }
            Event::Code(code) => {
                let code = code.replace('\n', " ");
                commands.extend(code.strip_prefix("cargo xtask ").map(without_comment));
            }
            _ => {}
        }
    }
    commands
}

/// Up to what is said beside it, or what is done with its output.
fn without_comment(command: &str) -> String {
    let end = [" #", " |", " >", "    "]
        .iter()
        .filter_map(|mark| command.find(mark))
        .min();
    command[..end.unwrap_or(command.len())].to_owned()
}
