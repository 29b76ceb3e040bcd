//! What several of these tests need.

use model::Host;

/// A machine of which nothing is known that a test would look at.
pub fn host() -> Host {
    Host {
        os: None,
        kernel: None,
        glibc: None,
        architecture: "x86_64".to_owned(),
        cpu_count: 2,
        page_size_bytes: 4096,
        memory_kib: 1,
        available_kib: 1,
        huge_pages: None,
        lab_conditions: Vec::new(),
    }
}

/// The text without its styles.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
