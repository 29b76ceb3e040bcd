"""The statements that the model's scenarios of the same names stand for, request by request.

See crates/scenarios/src/python.rs, which has them in a table. In Python 3 `xrange` is `range`.
"""
import struct
import sys

WORD = struct.calcsize("P")

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
        return sum(len(items) * (WORD + sys.getsizeof(items[-1])) for items in live)


def traffic(unit="x", lengths=(24, 64, 200, 1500, 4096)):
    """Strings of the sizes that ordinary traffic has elsewhere, in a window of 64, and buffers."""
    window = [None] * 64
    for i in numbers(20000):
        window[i % 64] = unit * lengths[i % 5]
        if i % 4 == 0:
            unit * 40000
