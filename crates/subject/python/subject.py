"""The subject that is a CPython: any from 2.7 on runs this and is measured from outside.

It speaks the protocol of crates/model/src/protocol.rs: a command a line on standard input, an answer
a line on standard output. The files of this folder are one script, joined in the order scenarios,
settled, account, subject, with nothing but the standard library.

What is measured is an ordinary interpreter, brought into the model's initial state (settled). So that it
is the object's memory that moves between two checkpoints, and not the conversation's, everything is imported and every command answered before
the baseline, and a command asks `malloc` for nothing that outlives its answer: one chunk on top of the
C library's heap would keep all that is below it.
"""
import gc
import io
import json
import os
import sys
import time

PROTOCOL = 3
LONGEST_LINE = 8 * 1024
trim = getattr(libc, "malloc_trim", None)


class Refused(Exception):
    """What cannot be done, with the reason."""


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
            settle(WORD * self.held.size)

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
