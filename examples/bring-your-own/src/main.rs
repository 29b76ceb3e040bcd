//! mimalloc 2, brought from outside: what it takes for an allocator to be measured.

use std::process::ExitCode;

use afterdrop_subject::{Plain, serve};
use mimalloc::MiMalloc;

#[global_allocator]
static GLOBAL: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // SAFETY: the call has no precondition.
    let collect = || unsafe { libmimalloc_sys::mi_collect(true) };
    serve(&Plain::named("mimalloc-2", "2.3.2").released_by("mi_collect(true)", collect))
}
