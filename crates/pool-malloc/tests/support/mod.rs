//! What the tests share: where the library is, and a compiler for their programs.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod program;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The library, as cargo built it for these tests, which stand beside it.
pub fn library() -> PathBuf {
    let this = std::env::current_exe().expect("tests are files");
    let library = this.with_file_name("libpool_malloc.so");
    assert!(library.is_file(), "{} is missing", library.display());
    library
}

/// Where a test may put files: a folder of its own, which is empty now.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _was_there = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written to");
    folder
}

/// Compiles a file of `tests/c` to `to`; `None`, and a line that says so, where the machine has no such compiler.
pub fn compile(compiler: &str, source: &str, to: &Path, more: &[&str]) -> Option<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/c")
        .join(source);
    let output = Command::new(compiler)
        .args(["-O1", "-g", "-Wall", "-fno-builtin", "-pthread", "-o"])
        .args([to, &source])
        .args(more)
        .output();
    let Ok(output) = output else {
        println!("not tested: {} (no {compiler})", source.display());
        return None;
    };
    assert!(output.status.success(), "{}", said(&output));
    Some(())
}

/// Everything that a program said, and how it ended.
pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    format!("{}\n{out}{err}", output.status)
}
