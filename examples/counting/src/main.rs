//! pool-alloc with its feature `stats`, to be measured beside the one without.

use std::process::ExitCode;

use afterdrop_subject::{Plain, serve};
use pool_alloc::PoolAlloc;

#[global_allocator]
static GLOBAL: PoolAlloc = PoolAlloc;

fn main() -> ExitCode {
    let release = || {
        GLOBAL.release();
    };
    serve(&Plain::named("pool-counting", "0.1.0").released_by("PoolAlloc.release()", release))
}
