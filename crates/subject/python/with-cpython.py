"""The subject that is a CPython: any from 2.7 on runs this file and is measured from outside.

It speaks the protocol of crates/model/src/protocol.rs: a command a line on standard input, an answer
a line on standard output. Its scenarios are the statements that the model's scenarios of the same
names stand for, request by request.

What is measured is the interpreter as it comes. Three things are seen to before the baseline, so that
it is the object's memory that moves between two checkpoints, and not the conversation's:

- Everything is imported, and every command has been answered once.
- No arena has a free pool, and each size class has free blocks (`settle`): what is built begins in an
  arena of its own, and what commands ask for needs none.
- A command asks `malloc` for nothing that outlives its answer: one chunk on top of the C library's
  heap would keep all that is below it.
"""
import gc
import io
import json
import mmap
import os
import sys
import tempfile
import time

try:
    import ctypes
    libc = ctypes.CDLL(None)
    trim = libc.malloc_trim
except (ImportError, OSError, AttributeError):
    libc = trim = None  # another C library, or an interpreter built without ctypes

PROTOCOL = 3
LONGEST_LINE = 8 * 1024
PAGE = 4 << 10
POOL, ARENA = (16 << 10, 1 << 20) if sys.version_info >= (3, 10) else (PAGE, 256 << 10)


class Refused(Exception):
    """What cannot be done, with the reason."""


# --- the scenarios ---

if sys.version_info[0] == 2:
    numbers, list_of_numbers = xrange, range  # noqa: F821
else:
    numbers = range

    def list_of_numbers(n):
        return list(range(n))


def stream_of_numbers(n):
    i = None
    for i in numbers(n):
        pass
    return [i]


def filled(n, make):
    """A list that has its length from the beginning: its items are never moved."""
    items = [None] * n
    for i in numbers(n):
        items[i] = make(i)
    return items


def strings(length, unit="x"):
    return lambda n: filled(n, lambda i: unit * length)


SURVIVES = 16384  # one of so many objects

SCENARIOS = {
    "python-int-list": list_of_numbers,
    "python-float-list": lambda n: filled(n, float),
    "python-int-stream": stream_of_numbers,
    "python-objects": lambda n: filled(n, lambda i: object()),
    "python-strings-100": strings(100),
    "python-strings-400": strings(400),
    "python-strings-1000": strings(1000),
}


class Held(object):
    """The large object, and what survives it."""

    scenario, size, large, survivors = None, 0, None, None

    def build(self):
        self.survivors = None
        self.large = SCENARIOS[self.scenario](self.size)

    def drop(self):
        if self.scenario == "python-objects":
            self.survivors = self.large[::SURVIVES]
        self.large = None

    def live_bytes(self):
        """What the elements, which are all of one size, and the lists' items were asked for with."""
        live = [items for items in (self.large, self.survivors) if items]
        return sum(len(items) * (8 + sys.getsizeof(items[-1])) for items in live)


# --- what happens meanwhile ---


def traffic(unit="x", lengths=(24, 64, 200, 1500, 4096)):
    """Strings of the sizes that ordinary traffic has elsewhere, in a window of 64, and buffers."""
    window = [None] * 64
    for i in numbers(20000):
        window[i % 64] = unit * lengths[i % 5]
        if i % 4 == 0:
            unit * 40000


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
    if POOL > PAGE:
        ints.extend([(1 << 22) + i for i in numbers(209)])  # of 510; 300 are left
    else:
        ints[:280:8] = [None] * 35  # beside 125 that are left
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


# --- the account ---

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


# --- the conversation ---


def upheld():
    """Which lab conditions hold, as the kernel has them. The clock is not the lab's to stop here."""
    status = io.open("/proc/self/status").read()
    try:
        fixed = int(io.open("/proc/self/personality").read(), 16) & 0x0040000 != 0
    except (IOError, ValueError):
        fixed = False
    cpus = status.partition("Cpus_allowed_list:")[2].split()[0]
    return {
        "lab_clock": False,
        "seeded_randomness": os.environ.get("PYTHONHASHSEED") == "0",
        "fixed_addresses": fixed,
        "no_huge_pages": "THP_enabled:\t0" in status,
        "one_cpu": cpus.isdigit(),
    }


class Subject(object):
    """Does what it is told. Without real time to live by, its clock is what it was told of it."""

    def __init__(self):
        self.real_time = os.environ.get("AFTERDROP_CONDITIONS") == "host"
        self.held, self.accounts = Held(), Accounts()
        self.clock_ms, self.began, self.settled = 0, time.time(), False

    def hello(self, protocol):
        series, version = "%d.%d" % sys.version_info[:2], sys.version.split()[0]
        parts = [dict(zip(("name", "holds", "source", "because"), part))
                 for part in self.accounts.parts]
        return {"hello": {
            "protocol": PROTOCOL,
            "allocator": "cpython-" + series,
            "title": "CPython " + version,
            "version": version,
            "release_call": "malloc_trim(0)" if trim else None,
            "parts": parts,
            "upheld": upheld(),
        }}

    def prepare(self, scenario, size, **_):
        if scenario not in SCENARIOS:
            raise Refused("an interpreter runs only " + ", ".join(sorted(SCENARIOS)))
        self.held.scenario, self.held.size = str(scenario), 1
        self.held.build()  # once, for what is allocated the first time
        self.held.live_bytes()
        self.held.drop()
        self.held.size = size
        # The 1,024th call of a function gets it a cache of its own in 3.8 and 3.9, which stays.
        answers = 0
        while answers < 1024:
            answers += len(list(written(self.account())))

    def build(self):
        self.held.build()

    def drop(self):
        self.held.drop()

    def wait(self, ms):
        self.clock_ms += ms
        if self.real_time:
            time.sleep(ms / 1000.0)

    def traffic(self):
        traffic()
        if not self.settled:
            self.settled = True
            settle(8 * self.held.size)

    def collect(self):
        gc.collect()

    def release(self):
        if trim:
            trim(0)

    def account(self):
        return {"account": self.accounts.account()}

    def time(self, **_):
        raise Refused("an interpreter has no workloads of a benchmark")

    def answer(self, line):
        command = json.loads(line)
        name, arguments = command, {}
        if isinstance(command, dict):
            (name, arguments), = command.items()
        try:
            answer = getattr(self, name)(**dict((str(k), v) for k, v in arguments.items()))
        except Refused as refused:
            return {"refused": str(refused)}
        clock_ms = int((time.time() - self.began) * 1000) if self.real_time else self.clock_ms
        return answer or {"done": {"live_bytes": self.held.live_bytes(), "clock_ms": clock_ms}}


def written(value):
    """JSON in pieces, each small enough for a pool."""
    pairs = isinstance(value, dict)
    if not pairs and not isinstance(value, list):
        yield json.dumps(value)
        return
    before = "{" if pairs else "["
    for item in value:
        yield before
        before = ","
        if pairs:
            yield json.dumps(item) + ":"
        for piece in written(value[item] if pairs else item):
            yield piece
    yield (before if before != "," else "") + ("}" if pairs else "]")


def serve():
    subject, buffer = Subject(), bytearray(LONGEST_LINE)
    driver = io.FileIO(0, closefd=False)
    while True:
        length = driver.readinto(buffer)
        if not length:
            return
        line = bytes(buffer[:length]).decode("utf-8")
        if line.strip() == '"exit"':
            return
        for piece in written(subject.answer(line)):
            os.write(1, piece.encode("utf-8"))
        os.write(1, b"\n")


serve()
