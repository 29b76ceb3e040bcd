//! TCMalloc as Google has it now, not that of gperftools

use std::process::ExitCode;

use afterdrop_subject::{Control, serve};
use tcmalloc_better::TCMalloc;

#[global_allocator]
static GLOBAL: TCMalloc = TCMalloc;

fn main() -> ExitCode {
    serve(&Tcmalloc)
}

struct Tcmalloc;

unsafe extern "C" {
    /// Gives back free pages, at least this many bytes of them if there are as many. A block that
    /// one of TCMalloc's own caches holds pins its page.
    safe fn MallocExtension_Internal_ReleaseMemoryToSystem(bytes: usize) -> usize;
}

impl Control for Tcmalloc {
    fn name(&self) -> &str {
        "tcmalloc"
    }

    /// TCMalloc has no releases; this is the version of the crate that carries its source.
    fn version(&self) -> &str {
        "0.1.19"
    }

    fn release_call(&self) -> Option<&str> {
        Some("ReleaseMemoryToSystem")
    }

    fn release(&self) {
        MallocExtension_Internal_ReleaseMemoryToSystem(usize::MAX);
    }
}
