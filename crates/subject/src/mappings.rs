//! The process's anonymous mappings, and which of their pages are resident.
//!
//! An allocator counts what it took and what it handed out; whether a free page is resident it often
//! does not know. The kernel does: `/proc/self/maps` names the mappings, `mincore` tells of each page.
//! Nothing is allocated, and what is looked at is not touched.

use std::ops::Range;

/// So many bytes of addresses, and so many of them with memory behind them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// Bytes of address space.
    pub bytes: u64,
    /// Bytes in resident pages.
    pub resident_bytes: u64,
}

impl Extent {
    /// What of these bytes, counted by an allocator, can be resident, and takes it out of the extent:
    /// an allocator that asks for one part after the other claims no more than is there.
    pub fn claim(&mut self, counted_bytes: u64) -> u64 {
        let claimed = counted_bytes.min(self.resident_bytes);
        self.resident_bytes -= claimed;
        claimed
    }

    /// Leaves out what belongs to others.
    pub(crate) fn take_out(&mut self, others: &Extent) {
        self.bytes = self.bytes.saturating_sub(others.bytes);
        self.resident_bytes = self.resident_bytes.saturating_sub(others.resident_bytes);
    }

    /// Counts these addresses in.
    pub(crate) fn add(&mut self, addresses: Range<usize>) {
        self.bytes += addresses.len() as u64;
        self.resident_bytes += resident_bytes(addresses);
    }
}

/// Bytes of the resident pages that lie in this range of addresses, in parts or wholly.
pub fn resident_bytes(addresses: Range<usize>) -> u64 {
    const PAGE: usize = 4096;
    const PAGES_AT_ONCE: usize = 4096;
    let mut resident = 0;
    let mut start = addresses.start / PAGE * PAGE;
    while start < addresses.end {
        let length = (addresses.end - start).min(PAGES_AT_ONCE * PAGE);
        let mut pages = [0u8; PAGES_AT_ONCE];
        // SAFETY: the kernel writes a byte for each page, of which there are at most as many as
        // `pages` has; the addresses are only looked up.
        let status = unsafe { libc::mincore(start as *mut _, length, pages.as_mut_ptr()) };
        if status == 0 {
            resident += pages.iter().filter(|&&page| page & 1 == 1).count();
        }
        start += length;
    }
    (resident * PAGE) as u64
}

/// A mapping that no file backs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mapping {
    pub(crate) addresses: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// What `brk` has grown.
    Heap,
    /// Above a guard: the stack of a thread, but not of the main one.
    Stack,
    /// What else `mmap` gave.
    Anonymous,
}

/// A thread's stack lies above a guard of a page or a few, unless the C library guards it otherwise
/// (glibc 2.42): then it is among the other mappings.
const LARGEST_GUARD: usize = 64 << 10;

/// What is larger is no stack alone: before Linux 6.7 a stack and the mapping above it become one.
const LARGEST_STACK: usize = 16 << 20;

/// Every writable mapping of the process that no file backs, in the order of their addresses.
/// None where `/proc` cannot be read.
pub(crate) fn for_each(mut each: impl FnMut(Mapping)) {
    let mut guarded = None; // the address above the last guard
    for_each_line(|line| {
        let Some(entry) = Entry::parse(line) else {
            return;
        };
        let Range { start, end } = entry.addresses;
        let kind = match (entry.permissions, entry.name) {
            (b"rw-p", Some(b"[heap]")) => Kind::Heap,
            (b"rw-p", name) if is_anonymous(name) => {
                match guarded == Some(start) && end - start <= LARGEST_STACK {
                    true => Kind::Stack,
                    false => Kind::Anonymous,
                }
            }
            (b"---p", None) => {
                guarded = (end - start <= LARGEST_GUARD).then_some(end);
                return;
            }
            _ => return,
        };
        each(Mapping {
            addresses: start..end,
            kind,
        });
    });
}

/// Without a name, or with one that the process gave it, as allocators do where the kernel lets them.
fn is_anonymous(name: Option<&[u8]>) -> bool {
    name.is_none_or(|name| name.starts_with(b"[anon:"))
}

/// What a line of `/proc/self/maps` says of a mapping without a file.
struct Entry<'a> {
    addresses: Range<usize>,
    permissions: &'a [u8],
    name: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// From a line such as `7f00dead0000-7f00dead4000 rw-p 00000000 00:00 0   [name]`; `None` where
    /// the mapping has a file, and so an inode.
    fn parse(line: &'a [u8]) -> Option<Entry<'a>> {
        let words = line.split(|byte| *byte == b' ');
        let mut words = words.filter(|word| !word.is_empty());
        let mut addresses = words.next()?.split(|byte| *byte == b'-');
        let mut address = || {
            let digits = str::from_utf8(addresses.next()?).ok()?;
            usize::from_str_radix(digits, 16).ok()
        };
        let addresses = address()?..address()?;
        let permissions = words.next()?;
        let inode = words.nth(2)?;
        (inode == b"0").then(|| Entry {
            addresses,
            permissions,
            name: words.next(),
        })
    }
}

/// Hands over every line of `/proc/self/maps`, without its newline.
fn for_each_line(mut each: impl FnMut(&[u8])) {
    // SAFETY: the path is nul-terminated.
    let file = unsafe {
        libc::open(
            c"/proc/self/maps".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        )
    };
    if file < 0 {
        return;
    }
    let mut buffer = [0u8; 16 * 1024]; // longer than any line: a path has at most 4 KiB
    let mut filled = 0;
    loop {
        let space = &mut buffer[filled..];
        // SAFETY: `space` is valid for the write of its length.
        let count = unsafe { libc::read(file, space.as_mut_ptr().cast(), space.len()) };
        if count < 0 && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted {
            continue;
        }
        if count <= 0 {
            break;
        }
        filled += count as usize;
        let mut rest = &buffer[..filled];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            each(&rest[..end]);
            rest = &rest[end + 1..];
        }
        let unread = rest.len();
        buffer.copy_within(filled - unread..filled, 0);
        filled = unread;
    }
    // SAFETY: `file` is open and nobody else's.
    unsafe { libc::close(file) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        let heap =
            b"555555560000-555555581000 rw-p 00000000 00:00 0                          [heap]";
        let entry = Entry::parse(heap).unwrap();
        assert_eq!(entry.addresses, 0x5555_5556_0000..0x5555_5558_1000);
        assert_eq!(entry.name, Some(&b"[heap]"[..]));
        let named = b"7ffff0000000-7ffff4000000 rw-p 00000000 00:00 0  [anon:mimalloc]";
        assert!(is_anonymous(Entry::parse(named).unwrap().name));
        let spaced = b"7ffff0000000-7ffff4000000 rw-p 00000000 00:00 0  [anon: glibc: malloc]";
        assert!(is_anonymous(Entry::parse(spaced).unwrap().name));
        assert!(!is_anonymous(entry.name));
        let file = b"7ffff7d00000-7ffff7d26000 rw-p 00000000 fe:00 1234 /usr/lib/libc.so.6";
        assert!(Entry::parse(file).is_none());
        assert!(Entry::parse(b"what?").is_none());
    }

    #[test]
    fn pages_are_resident_once_they_are_written_to() {
        const PAGES: usize = 100;
        let length = PAGES * 4096;
        // SAFETY: the kernel chooses the addresses.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        let addresses = start as usize..start as usize + length;
        assert_eq!(resident_bytes(addresses.clone()), 0);
        for page in [0, 7, 99] {
            let byte = start.wrapping_byte_add(page * 4096).cast::<u8>();
            // SAFETY: inside the mapping, which nobody else uses.
            unsafe { byte.write(1) };
        }
        assert_eq!(resident_bytes(addresses.clone()), 3 * 4096);
        let mut found = false;
        for_each(|mapping| found |= mapping.addresses.contains(&addresses.start));
        assert!(found);
        // SAFETY: the mapping is this test's own.
        unsafe { libc::munmap(start, length) };
    }

    #[test]
    fn a_threads_stack_is_told_from_other_mappings() {
        if crate::c_malloc::glibc_minor() >= 42 {
            return; // its guards are no mappings
        }
        let on_a_stack = std::thread::spawn(|| {
            let local = 0u8;
            let address = &raw const local as usize;
            let mut kind = None;
            for_each(|mapping| {
                if mapping.addresses.contains(&address) {
                    kind = Some(mapping.kind);
                }
            });
            kind
        });
        assert_eq!(on_a_stack.join().unwrap(), Some(Kind::Stack));
    }
}
