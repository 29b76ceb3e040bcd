"""The account: what the interpreter and the C library say of themselves, in bytes by part.

Python 2.7 keeps no statistics; there the account is empty.
"""
import os
import sys
import tempfile

OBJECTS = "Python's live objects"
TYPED = "Python's typed free lists"
FREE_BLOCKS = "Python's free blocks"
FREE_POOLS = "Python's free pools"
HEADERS = "Python's headers and rounding"
CHUNKS = "malloc's blocks"
FREE_CHUNKS = "malloc's free chunks"
STATS = "sys._debugmallocstats()"

# name, what it holds, source, what keeps it there
OF_POOLS = [
    (OBJECTS, "blocks", STATS + ": bytes in allocated blocks, less the typed free lists",
     "which the program holds"),
    (TYPED, "free", STATS + ": free Py...Objects",
     "each for objects of its type only, until a full collection"),
    (FREE_BLOCKS, "free", STATS + ": bytes in available blocks",
     "beside live ones in their pools: a pool goes back to its arena as a whole"),
    (FREE_POOLS, "free", STATS + ": unused pools",
     "in arenas where something is alive, and in the one empty arena that is kept from 3.9 on"),
    (HEADERS, "records", STATS + ": bytes in pool headers, lost to quantization",
     "which goes back with the pools that it is part of"),
]
OF_MALLOC = [
    (CHUNKS, "blocks", "mallinfo2: uordblks, hblkhd", "which the program holds"),
    (FREE_CHUNKS, "free", "smaps: Rss of the heap, less mallinfo2: uordblks",
     "below a chunk that is in use or in a cache: malloc shrinks a heap from its top only"),
]
LINES = {
    "bytes in allocated blocks": OBJECTS,
    "bytes in available blocks": FREE_BLOCKS,
    "unused pools": FREE_POOLS,
    "bytes in pool headers": HEADERS,
    "bytes lost to quantization": HEADERS,
}


def lines_of(descriptor):
    """Lines out of pieces that are small enough for a pool."""
    rest = b""
    for piece in iter(lambda: os.read(descriptor, 256), b""):
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield line.decode("ascii", "replace")


def heap_resident():
    smaps, heap, resident = os.open("/proc/self/smaps", os.O_RDONLY), False, 0
    for line in lines_of(smaps):
        if line[:1].isdigit() or line[:1] in "abcdef":
            heap = line.endswith("[heap]")
        elif heap and line.startswith("Rss:"):
            resident += int(line.split()[1]) * 1024
    os.close(smaps)
    return resident


class Accounts(object):
    """What the interpreter and the C library say of themselves, in bytes by part."""

    def __init__(self):
        # It writes to the descriptor of standard error.
        self.file = tempfile.TemporaryFile() if hasattr(sys, "_debugmallocstats") else None
        self.mallinfo = None
        if self.file and hasattr(libc, "mallinfo2"):
            names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
            fields = [(name, ctypes.c_size_t) for name in names.split()]
            libc.mallinfo2.restype = type("mallinfo2", (ctypes.Structure,), {"_fields_": fields})
            self.mallinfo = libc.mallinfo2
        pools, malloc = self.pools(), os.environ.get("PYTHONMALLOC") == "malloc"
        self.parts = list(OF_POOLS) if pools else []
        if self.mallinfo and (pools or malloc):
            self.parts += OF_MALLOC

    def pools(self):
        """Nothing where no pools are in use."""
        if self.file is None:
            return {}
        descriptor, own = self.file.fileno(), os.dup(2)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        os.dup2(descriptor, 2)
        sys._debugmallocstats()
        os.dup2(own, 2)
        os.close(own)
        os.lseek(descriptor, 0, os.SEEK_SET)
        found, has_pools = dict((part[0], 0) for part in OF_POOLS), False
        for line in lines_of(descriptor):
            what, _, figure = line.rpartition("=")
            figure = figure.replace(",", "").strip()
            if not figure.isdigit():
                continue
            if " free Py" in what:
                found[TYPED] += int(figure)
            for words, name in LINES.items():
                if words in what:
                    found[name] += int(figure)
                    has_pools = True
        found[OBJECTS] -= found[TYPED]
        return found if has_pools else {}

    def account(self):
        found = self.pools() if OF_POOLS[0] in self.parts else {}
        if OF_MALLOC[0] in self.parts:
            info, heap = self.mallinfo(), heap_resident()
            found[CHUNKS] = min(info.uordblks, heap) + info.hblkhd
            found[FREE_CHUNKS] = max(heap - info.uordblks, 0)
        free = [found.get(name, 0) for name in (TYPED, FREE_BLOCKS, FREE_POOLS, FREE_CHUNKS)]
        return {
            "allocated_bytes": found.get(OBJECTS, 0) + found.get(CHUNKS, 0) if found else None,
            "cached_bytes": sum(free) if found else None,
            "lazily_freed_bytes": None,
            "metadata_bytes": found.get(HEADERS),
            "mapped_bytes": sum(found.values()) if found else None,
            "parts": [{"name": part[0], "value": found[part[0]]} for part in self.parts],
            "counters": [],
        }
