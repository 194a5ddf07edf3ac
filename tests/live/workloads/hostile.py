# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A CPython 3.11 that forges what it gives to sys.audit(): hostile.py CASE

Objects are made of raw memory by ctypes; nothing but pytrail looks into them. Each event "hostile" has a label and
the forged object. Says "ready", waits for a line (`told`), and says "done" when the case is through.
"""
import ctypes
import fcntl
import mmap
import os
import select
import signal
import struct
import sys
import tempfile
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
PAGE = 4096
PROT_NONE, PROT_RW = 0, mmap.PROT_READ | mmap.PROT_WRITE
ANON = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
HUGE = 1 << 62
MINUS = (1 << 64) - 1
KERNEL = 0xffff888000000000
ODD = 0x1234567812345678  # not canonical
REFS = 1 << 40
kept = []


def raw(*words, size=0):
    """Memory with these words in it; its address."""
    words = [w & MINUS for w in words]
    block = (ctypes.c_uint64 * max(len(words), size // 8, 32))(*words)
    kept.append(block)
    return ctypes.addressof(block)


def text(data):
    block = ctypes.create_string_buffer(data)
    kept.append(block)
    return ctypes.addressof(block)


def pages(count, prot=PROT_RW, flags=ANON, fd=-1):
    address = libc.mmap(None, count * PAGE, prot, flags, fd, 0)
    assert address not in (None, MINUS), "mmap"
    return address


def forged(address):
    return ctypes.cast(address, ctypes.py_object).value


def made(kind, *words, **kw):
    """An object of a type, from the words behind the type."""
    return forged(raw(REFS, kind if isinstance(kind, int) else id(kind), *words, **kw))


def holder(*pointers):
    """A list whose items are at these addresses."""
    return made(list, len(pointers), raw(*pointers), len(pointers))


def put(address, *words):
    for i, word in enumerate(words):
        ctypes.c_uint64.from_address(address + i * 8).value = word & MINUS


def audit(label, *args):
    sys.audit("hostile", label, *args)


def at_the_end(*words):
    """An object of which only these words are mapped: an absent page follows."""
    at = pages(2)
    libc.mprotect(at + PAGE, PAGE, PROT_NONE)
    at += PAGE - len(words) * 8
    put(at, *words)
    return at


def sequences():
    one = id(1)
    audit("tuple huge", made(tuple, HUGE, one, id(None), 8))
    audit("tuple negative", made(tuple, -1, one, id(None)))
    audit("tuple 2**32", made(tuple, (1 << 32) + 1, one, id(None)))
    audit("tuple at an edge", forged(at_the_end(REFS, id(tuple), 100, one, one)))
    audit("list of no items", made(list, 10, 0, 10))
    audit("list huge", made(list, HUGE, raw(*[one] * 200), HUGE))
    audit("list kernel", made(list, 3, KERNEL, 3))
    audit("list odd", made(list, 3, ODD, 3))
    audit("bytes huge", made(bytes, HUGE, 0, 0x6161616161616161))
    audit("bytes negative", made(bytes, -5, 0, 0x6161616161616161))
    audit("bytearray odd", made(bytearray, 100, 100, ODD, ODD, 0))
    audit("bytearray kernel", made(bytearray, 100, 100, KERNEL, KERNEL, 0))
    audit("int huge", made(int, HUGE, 7))
    audit("int negative", made(int, -(1 << 63), 7))


def state(kind, compact, ascii_):
    return kind << 2 | compact << 5 | ascii_ << 6 | 1 << 7


def strings():
    for kind in range(8):
        for compact in (0, 1):
            audit("str kind %d compact %d" % (kind, compact),
                  made(str, 3, 0, state(kind, compact, 0), 0, 0, 0, 0, ODD))
    audit("str huge", made(str, HUGE, 0, state(1, 1, 1), 0, 0x6161616161616161, size=256))
    audit("str negative", made(str, -1, 0, state(4, 1, 0), 0, 0x6161616161616161, size=256))
    audit("str 2**32", made(str, 1 << 32, 0, state(2, 1, 0), 0, 0, 0, 0, 0x0061006100610061))
    audit("str kernel", made(str, 9, 0, state(1, 0, 0), 0, 0, 0, 0, KERNEL))
    audit("str legacy", made(str, 9, 0, 0, ODD, 0, 0, 9, 0))
    audit("str surrogates", made(str, 2, 0, state(2, 1, 0), 0, 0, 0, 0, 0xdfffd800))
    audit("str beyond", made(str, 2, 0, state(4, 1, 0), 0, 0, 0, 0, 0xffffffff7fffffff))
    audit("str at an edge", forged(at_the_end(REFS, id(str), 1000, 0, state(1, 1, 1), 0, 0x6161616161616161)))


def kind(name, flags=0, base=0):
    words = [0] * 60
    words[0], words[1], words[3], words[21], words[32] = REFS, id(type), name, flags, base
    return raw(*words)


def types():
    unmapped = pages(1, PROT_NONE)
    good = text(b"Good")
    audit("type none", made(0, 1, 2))
    audit("type odd", made(ODD, 1, 2))
    audit("type kernel", made(KERNEL, 1, 2))
    audit("type unmapped", made(unmapped, 1, 2))
    audit("type name none", made(kind(0), 1))
    audit("type name odd", made(kind(ODD), 1))
    audit("type name unmapped", made(kind(unmapped), 1))
    audit("type name long", made(kind(text(b"n" * 100000)), 1))
    own = kind(good)
    put(own + 256, own)
    audit("type base itself", made(own, 1))
    audit("type base odd", made(kind(good, 0, ODD), 1))
    audit("type all flags", made(kind(good, MINUS), 1))
    for bit in range(24, 32):
        audit("type flag %d" % bit, made(kind(good, 1 << bit), HUGE, ODD, ODD, ODD, ODD))
    chain = kind(good)
    for _ in range(1000):
        chain = kind(good, 0, chain)
    audit("type base deep", made(chain, 1))
    audit("class", made(type, *[0] * 60))
    audit("code", made(type((lambda: 0).__code__), *[ODD] * 30))
    audit("function", made(type(lambda: 0), *[ODD] * 30))
    audit("builtin", made(type(len), *[ODD] * 30))
    audit("method", made(type(threading.Thread().run), *[ODD] * 30))
    audit("module", made(type(sys), *[ODD] * 30))
    audit("exception", made(ValueError, *[ODD] * 30))


def tables():
    unmapped = pages(1, PROT_NONE)
    zero = pages(64 << 8)  # 64 MiB, never touched
    key = 1 << 8

    def keys(log2_index, entries, kind_=1, *rest):
        return raw(1, 8 | log2_index << 8 | kind_ << 16, 0, entries, *rest)

    audit("dict no keys", made(dict, 5, 0, 0, 0))
    audit("dict keys odd", made(dict, 5, 0, ODD, 0))
    audit("dict keys unmapped", made(dict, 5, 0, unmapped, 0))
    audit("dict huge", made(dict, HUGE, 0, keys(3, HUGE, 1, 0, id("a"), id(1)), 0))
    audit("dict negative", made(dict, -1, 0, keys(3, -1, 1, 0, id("a"), id(1)), 0))
    audit("dict far", made(dict, 5, 0, keys(63, 5), 0))
    audit("dict split odd", made(dict, 5, 0, keys(3, 5), ODD))
    put(zero, 1, key | 3 << 8 | 1 << 16, 0, 1 << 40)
    audit("dict of the dead", made(dict, 5, 0, zero, 0))
    audit("set odd", made(set, 5, 5, 1 << 40, ODD))
    audit("set of the dead", made(set, 5, 5, 1 << 40, zero + PAGE))
    audit("set huge", made(set, HUGE, HUGE, MINUS, zero + PAGE))
    audit("frozenset negative", made(frozenset, -1, -1, -1, raw(id(1), 1, id(2), 2)))


def memory():
    gone = pages(1)
    libc.munmap(gone, PAGE)
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 100)
        file.flush()
        beyond = pages(4, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno())
    audit("unmapped", holder(gone, id(1)))
    audit("no access", holder(pages(1, PROT_NONE), id(1)))
    audit("behind the end", holder(beyond + 2 * PAGE, id(1)))
    audit("kernel", holder(KERNEL, id(1)))
    audit("top", holder(MINUS - 7, id(1)))
    audit("odd", holder(ODD, id(1)))
    audit("null", holder(0, id(1)))
    audit("low", holder(8, id(1)))
    audit("half", holder(at_the_end(REFS), id(1)))
    audit("itself", holder(raw(), id(1)))
    audit("vsyscall", holder(0xffffffffff600000, id(1)))
    try:
        with open("/dev/mem", "rb") as device:
            screen = libc.mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, device.fileno(), 0xb8000)
        if screen not in (None, MINUS):
            audit("device", holder(screen, id(1)))
    except OSError:
        pass


def present(address):
    with open("/proc/self/pagemap", "rb") as pagemap:  # Documentation/admin-guide/mm/pagemap.rst
        pagemap.seek(address // PAGE * 8)
        return int.from_bytes(pagemap.read(8), "little") >> 63


def string(number):
    said = b"absent %d" % number
    words = REFS, id(str), len(said), 0, state(1, 1, 1), 0
    return (b"".join(w.to_bytes(8, "little") for w in words) + said).ljust(PAGE, b"\0")


def absent():
    """Strings in pages of a file that are not there for the moment."""
    with tempfile.NamedTemporaryFile(dir=".") as file:
        file.write(b"".join(string(n) for n in range(4)))
        file.flush()
        os.fsync(file.fileno())
        maps = [pages(4, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno()) for _ in range(3)]
    for label, at, advice in (("never touched", maps[0], 1), ("dropped", maps[1], 4), ("paged out", maps[2], 21)):
        libc.madvise(ctypes.c_void_p(at), 4 * PAGE, 1)  # MADV_RANDOM: a fault brings one page
        if advice != 1:
            for n in range(4):
                ctypes.c_uint8.from_address(at + n * PAGE).value
            libc.madvise(ctypes.c_void_p(at), 4 * PAGE, advice)
        strings_ = holder(*(at + n * PAGE for n in range(4)))
        label += " or not" if any(present(at + n * PAGE) for n in range(4)) else ""
        audit(label, strings_)


USERFAULTFD = {"x86_64": 323, "aarch64": 282}[os.uname().machine]
PR_SET_PDEATHSIG = 1
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_COPY = 0xc018aa3f, 0xc020aa00, 0xc028aa03


def held_page():
    """A page that comes when somebody says so; the descriptor by which."""
    fd = libc.syscall(USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK)
    assert fd >= 0, "userfaultfd"
    at = pages(1)
    fcntl.ioctl(fd, UFFDIO_API, struct.pack("3Q", 0xaa, 0, 0))
    fcntl.ioctl(fd, UFFDIO_REGISTER, struct.pack("4Q", at, PAGE, 1, 0))
    return fd, at


def hold(number, said, go):
    """A process that raises an event with a page that is held, and one that tells when somebody waits for it and,
    when told to, lets it come."""
    parent = os.getppid()
    libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    fd, at = held_page()
    if os.fork():
        sys.audit("hostile", "held", number, holder(at))
        os.write(said, b"w")
        os._exit(0)
    if select.select([fd, go], [], [])[0][0] == fd:
        os.write(said, b"h")
        os.read(go, 1)
        source = text(string(number))
        fcntl.ioctl(fd, UFFDIO_COPY, bytearray(struct.pack("5Q", at, source, PAGE, 0, 0)))
    os._exit(0)


def held():
    """As many as there are slots, and more: each is waited for, or has gone on without its page."""
    count = int(sys.argv[2])
    (said, say), (go, gone) = os.pipe(), os.pipe()
    for number in range(count):
        if not os.fork():
            os.close(gone)
            hold(number, say, go)
    seen = b""
    while len(seen) < count:
        seen += os.read(said, count - len(seen))
    print("held %d" % seen.count(b"h"), flush=True)
    sys.stdin.readline()
    os.close(gone)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def cycles():
    a = []
    a.append(a)
    audit("list in itself", a)
    d = {}
    d["d"] = d
    audit("dict in itself", d)
    wide = []
    wide.extend([wide] * 1000)
    audit("wide and deep", wide)
    t = raw(REFS, id(tuple), 1, 0)
    put(t + 24, t)
    audit("tuple in itself", forged(t))
    e = ValueError()
    e.args = (e,)
    audit("exception in itself", e)
    audit("many", [wide, d, a, wide, {"a": wide}])


def sizes():
    audit("million in a list", list(range(1000000)))
    sys.audit("hostile", "million", *range(999999))
    audit("100 MB of text", "x" * 100_000_000)
    audit("100 MB of wide text", "\U0001f600" * 25_000_000)
    audit("100 MB", bytes(100_000_000))
    audit("million digits", 1 << 30 * 1000000)
    audit("million keys", dict.fromkeys(range(1000000), "value"))
    audit("million of a set", set(range(1000000)))


ESCAPES = ("\x1b]0;owned\x07", "\x1b[2J", "\r\n", "\n", "\0x", "\x7f", "\x9b31m", "\u2028", "\u202e", "\ud800",
           "\\", '"', "|", "=", "\t", "<14>", "]", "\ufeff", "\ufffe", "a b", "CEF:0|", "%n%s")


def escapes():
    for escape in ESCAPES:
        try:
            sys.audit("hostile." + escape, escape)
        except (ValueError, UnicodeError):
            pass  # a NUL, or what UTF-8 has not
        audit("escape", escape, escape.encode("utf-8", "surrogatepass"), {escape: escape}, [escape],
              type("T" + escape if "\0" not in escape and escape != "\ud800" else "T", (), {})())
    code = compile("0", "\x1b[2J\n", "eval").replace(co_name="\x1b[1m\r")
    audit("escape", code)
    libc.prctl(15, b"\x1b[31m\nA\xff\"", 0, 0, 0)
    audit("escape", "comm")


def mutations():
    """Other threads change what is being read, for as long as the events are raised."""
    over = False
    items, table, array = list(range(100)), {"k%d" % i: i for i in range(50)}, bytearray(b"x" * 5000)
    tuple_ = raw(REFS, id(tuple), 5, *[id(1)] * 20)
    string_ = raw(REFS, id(str), 5, 0, state(1, 1, 1), 0, 0x6161616161616161)
    page = pages(1)

    def lists():
        while not over:
            del items[:]
            items.extend(range(5000))
            items.append(items)

    def tables_():
        while not over:
            table.clear()
            table.update({"k%d" % i: {"a": [i]} for i in range(300)})

    def arrays():
        while not over:
            array.clear()
            array.extend(b"y" * 100000)

    # made before: from_address() raises an event
    cells = [ctypes.c_uint64.from_address(a) for a in (tuple_ + 16, string_ + 16, string_ + 32, tuple_ + 32)]

    def words():
        while not over:
            for value in (HUGE, 3, MINUS, ODD, 0, id(str), tuple_):
                for cell in cells:
                    cell.value = value
                libc.mprotect(page, PAGE, PROT_NONE if value & 1 else PROT_RW)

    threads = [threading.Thread(target=t) for t in (lists, tables_, arrays, words)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    for thread in threads:
        thread.start()
    for number in range(500):
        sys.audit("hostile.mutation", number, items, table, array, forged(tuple_), forged(string_), holder(page))
    over = True
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)


def flood():
    sys.audit("hostile.before")
    for number in range(200_000):
        sys.audit("hostile.flood", number)


counted = [0]


def raising():
    for number in range(1_000_000):
        counted[0] += 1
        sys.audit("hostile.going", number, [number], "text")


def ends(how):
    """Ends while other threads raise events."""
    def end():
        for _ in range(2):
            threading.Thread(target=raising, daemon=True).start()
        while counted[0] < 300:
            time.sleep(0.001)
        how()
    return end


told = []  # addresses of the USDT semaphores and of the probed instructions


def semaphores(value):
    for address in told[0].split(","):
        ctypes.c_uint16.from_address(int(address, 16)).value = value


def sites():
    return [int(address, 16) for address in told[1].split(",")]


def protect():
    for address in sites():
        libc.mprotect(address & -PAGE, PAGE, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        audit("protected")
        libc.mprotect(address & -PAGE, PAGE, mmap.PROT_READ | mmap.PROT_EXEC)
        audit("protected again")


# What <sys/sdt.h> puts where a probe is.
NOP = {"x86_64": b"\x90", "aarch64": b"\x1f\x20\x03\xd5"}[os.uname().machine]


def patch():
    """A nop over the breakpoint, as the file has it."""
    for address in sites():
        libc.mprotect(address & -PAGE, PAGE, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        ctypes.memmove(address, NOP, len(NOP))
    audit("patched")


def unmap():
    for address in sites():
        libc.munmap(address & -PAGE, PAGE)
    audit("unmapped itself")


CASES = {
    "sequences": sequences, "strings": strings, "types": types, "tables": tables, "memory": memory, "absent": absent,
    "held": held, "cycles": cycles, "sizes": sizes, "escapes": escapes, "mutations": mutations,
    "semaphore 0": lambda: semaphores(0), "semaphore full": lambda: semaphores(65535),
    "protect": protect, "patch": patch, "unmap": unmap,
    "flood": flood, "exit": ends(lambda: os._exit(0)),
    "kill": ends(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "exec": ends(lambda: os.execv("/bin/true", ["true"])),
    "exec itself": ends(lambda: os.execv(sys.executable, [sys.executable, "-c", "import sys; sys.audit('after')"])),
}

if __name__ == "__main__":
    print("ready", flush=True)
    told += sys.stdin.readline().split()
    CASES[sys.argv[1]]()
    sys.audit("hostile.end")
    print("done", flush=True)
    sys.stdin.readline()
    os._exit(0)  # what was forged is not to be cleaned up
