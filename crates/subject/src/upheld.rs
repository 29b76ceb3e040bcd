//! Which lab conditions the process finds itself under: it looks, and takes nobody's word.

use std::mem::MaybeUninit;

use model::Upheld;

use crate::{clock, placement, random};

/// Looks at each condition. Leaves everything as it was and allocates nothing.
pub(crate) fn look() -> Upheld {
    Upheld {
        lab_clock: clock::is_in_effect(),
        seeded_randomness: random::is_in_effect(),
        fixed_addresses: addresses_are_fixed() && placement::is_in_effect(),
        no_huge_pages: huge_pages_are_off(),
        one_cpu: cpu_count() == Some(1),
    }
}

fn addresses_are_fixed() -> bool {
    /// Asks for the personality without changing it.
    const QUERY: libc::c_ulong = 0xffff_ffff;
    // SAFETY: the query changes nothing.
    let personality = unsafe { libc::personality(QUERY) };
    personality != -1 && personality & libc::ADDR_NO_RANDOMIZE != 0
}

fn huge_pages_are_off() -> bool {
    // SAFETY: the call reads a flag; its unused arguments must be zero, and are.
    unsafe { libc::prctl(libc::PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1 }
}

fn cpu_count() -> Option<i32> {
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: `set` is valid for the write of its own size; 0 means the calling process.
    let status = unsafe { libc::sched_getaffinity(0, size_of_val(&set), set.as_mut_ptr()) };
    // SAFETY: all-zero bytes are a valid, empty set.
    let set = unsafe { set.assume_init() };
    // SAFETY: the call only reads `set`.
    (status == 0).then(|| unsafe { libc::CPU_COUNT(&set) })
}
