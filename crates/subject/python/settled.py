"""The state that an interpreter is brought into before the baseline.

No arena has a free pool, and each size class has free blocks: what is built begins in an arena of its
own, and what commands ask for meanwhile needs none. The model begins in the same state
(crates/scenarios/src/python/settled.rs): how much room an interpreter's own objects leave is chance,
and decides most of what is kept of the last arena.
"""
import mmap
import os
import sys

try:
    import ctypes
    libc = ctypes.CDLL(None)
except (ImportError, OSError):
    libc = None  # another system, or an interpreter built without ctypes

PAGE = 4 << 10
HAS_LARGE_POOLS = sys.version_info >= (3, 10) and WORD == 8
POOL, ARENA = (16 << 10, 1 << 20) if HAS_LARGE_POOLS else (PAGE, 256 << 10)

# Blocks of a pool of ints and floats, and how many are left free.
NUMBERS, FREE_NUMBERS = (510, 300) if HAS_LARGE_POOLS else (126, 160)

taken = []


def settle(items_bytes):
    """Takes whatever pools are free, and leaves free blocks in each size class.

    A request that no free pool can serve maps a new arena: the address space grows by its size. Where
    PYTHONMALLOC has the blocks come from elsewhere, there is nothing to see, and nothing to take.
    """
    header = sys.getsizeof(b"")
    makes = [object, lambda: 0.5 * len(taken)]
    makes += [lambda size=size: b"x" * (size - header) for size in numbers(48, 513, 8)]
    for make in makes:
        taken.extend([make() for _ in numbers(256)][::4])
    leave_blocks_of_numbers()
    mapped = address_space()
    for _ in numbers(2 * ARENA // 512):
        block = makes[-1]()
        before, mapped = mapped, address_space()
        if mapped - before >= ARENA:
            break  # and the block goes, and all of its arena is free
        taken.append(block)
    if POOL > PAGE and libc:
        align_arenas(items_bytes)


def leave_blocks_of_numbers():
    """Leaves so many free blocks in the size class of ints and floats that the last floats of a list of
    them end where the model's do.

    Dead floats on the free list, 100 of them, keep one pool or two, as it happens that these lie in one
    or two; and with two the empty arena before theirs may be kept as well.
    """
    ints = [(1 << 20) + i for i in numbers(300)]
    for i in numbers(ARENA // 32):
        ints.append((1 << 21) + i)
        if id(ints[-1]) % POOL == 48:  # the first block of a pool, behind its header
            break
    more = FREE_NUMBERS - (NUMBERS - 1)  # than that pool has left
    if more < 0:
        ints.extend([(1 << 22) + i for i in numbers(-more)])
    else:
        ints[:8 * more:8] = [None] * more
    taken.append(ints)


def address_space():
    statm = os.open("/proc/self/statm", os.O_RDONLY)
    pages = int(os.read(statm, 64).split()[0])
    os.close(statm)
    return pages * PAGE


def align_arenas(items_bytes):
    """Has the object's arenas begin on a multiple of a pool's size, where none of their pools is lost.

    One time in four they would by themselves: the kernel puts each mapping right below the one before
    it, and a list's items are of so many pages as they happen to be. So some pages are mapped before
    them, which nobody ever touches.
    """
    chunk = (items_bytes + 16 + PAGE - 1) // PAGE * PAGE
    for pages in numbers(POOL // PAGE):
        shift, items, arena = [mmap.mmap(-1, size) for size in (ARENA + pages * PAGE, chunk, ARENA)]
        offset = ctypes.addressof(ctypes.c_char.from_buffer(arena)) % POOL
        del items, arena
        if offset == 0:
            taken.append(shift)
            return
        del shift
