# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The canonical form of an audit event's arguments: what pytrail's JSON must say of them.

    Canon(max_string, max_items, max_depth).args(args, name_length)
        -> (values, truncated)

values is the list of the arguments' JSON values, as the `json` format has them, truncated a list of
(path, length). A path begins with the argument's number, "#0", where pytrail's has its name,
"args.path"; length is None where it is not known. Nothing is unreadable to a hook.

It is called within an audit hook, on CPython 3.8 to 3.15, and raises no audit event itself: no id(),
which is one, no __code__, and no __func__, which was one until 3.9. Addresses come from the default
hash; what Python does not show (tp_name, a method's function, a module's own name) is read from
memory. That, the caps and the limit of a record are all that it has in common with the decoder: the
values are CPython's own idea of them. A value that a subclass redefines is read with the methods of
its base, as pytrail reads the memory of the base.
"""

import base64
import ctypes
import sys
import sysconfig
import types

PATH_KEY_MAX = 64  # user/format/json_notes.c: longer keys are numbered
RECORD_MAX = 65536  # bpf/wire.h: PT_RECORD_MAX
FRAMES_MAX = 12  # PT_FRAMES_MAX
RECORD_HEAD = 128  # sizeof(struct pt_audit)
NAME_MAX = 1024  # PT_NAME_MAX
TYPE_NAME_MAX = 255  # bpf/pydecode.h: longer names of types are cut
RECORD_END = RECORD_MAX - (FRAMES_MAX + 1) * 8  # the rest is for closing
STEP_ROOM = 256 + 64  # a step needs that much of the record, or the record is cut
STEPS_MAX = 4096  # values and ends of containers that are decoded of an event

_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
_HEADER = 16 if _FREE_THREADED else 0  # the object header is that much longer
_TP_NAME = 24 + _HEADER  # PyTypeObject.tp_name
_IM_FUNC = 16 + _HEADER  # PyMethodObject.im_func
_MD_NAME = (48 if sys.version_info < (3, 15) else 40) + _HEADER  # PyModuleObject.md_name

# All memory, as arrays of C strings and of objects.
_STRINGS = (ctypes.c_char_p * (1 << 59)).from_address(0)
_OBJECTS = (ctypes.py_object * (1 << 59)).from_address(0)

_hash = object.__hash__
_function_module = types.FunctionType.__dict__["__module__"].__get__
_builtin_module = types.BuiltinFunctionType.__dict__["__module__"].__get__
_exception_args = BaseException.__dict__["args"].__get__
_QUALNAME = "co_qualname" if sys.version_info >= (3, 11) else "co_name"
_b64encode = base64.b64encode
_INT_MIN, _INT_MAX = -(1 << 63), (1 << 64) - 1
_HEX = "0123456789abcdef"


def address(obj):
    """id(obj), without the audit event."""
    h = _hash(obj)
    return ((h << 4) | ((h >> 60) & 15)) & 0xFFFFFFFFFFFFFFFF


def type_name(cls):
    """tp_name of a type, as bytes."""
    return _STRINGS[(address(cls) + _TP_NAME) >> 3]


def merged(text):
    """Text as a JSON parser sees it: two lone surrogates side by side become one character."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


merged("\ud800")  # imports the codec now, not within the hook


def json_string(text):
    """A JSON string as json_string.c escapes it; parts of paths are that."""
    out = ['"']
    for c in text:
        n = ord(c)
        if c in '"\\':
            out.append("\\" + c)
        elif c in "\b\t\n\f\r":
            out.append({"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}[c])
        elif n < 0x20 or 0x7F <= n < 0xA0 or 0xD800 <= n < 0xE000 or n in (0x2028, 0x2029):
            out.append("\\u" + _HEX[n >> 12] + _HEX[n >> 8 & 15] + _HEX[n >> 4 & 15] + _HEX[n & 15])
        else:
            out.append(c)
    out.append('"')
    return "".join(out)


def _path_key(key, index):
    if len(key) > PATH_KEY_MAX:
        return "[%d]" % index
    if key.isascii() and key.isidentifier():
        return "." + key
    return "[" + json_string(key) + "]"


def _pad(n):
    return (n + 7) & ~7


class Canon:
    """The caps, and how much of the record at hand is used."""

    def __init__(self, max_string=4096, max_items=128, max_depth=4, record_head=RECORD_HEAD):
        self.max_string = max_string
        self.max_items = max_items
        self.max_depth = max_depth
        self.record_head = record_head
        self._leaves = {
            str: _leaf_str, int: _leaf_int, bytes: _leaf_bytes, float: _leaf_float,
            bytearray: _leaf_bytearray,
        }

    def args(self, args, name_length=0):
        self = _Record(self, self.record_head + _pad(min(name_length, NAME_MAX)))
        values, notes = self.items(tuple.__len__(args), 0, tuple.__iter__(args), True)
        truncated = []
        for path, length in notes:
            path = "".join(path)
            # The root's items are numbered as items are: "[0]" is "#0".
            path = "#" + path[1:].replace("]", "", 1) if path else "args"
            truncated.append((path, length))
        return values, truncated


class _Record:
    """One record: made for each event, so that threads do not share it."""

    __slots__ = ("caps", "out", "cut", "steps", "max_string", "max_items", "max_depth")

    def __init__(self, caps, out):
        self.caps = caps
        self.out = out
        self.cut = False
        self.steps = 0
        self.max_string = caps.max_string
        self.max_items = caps.max_items
        self.max_depth = caps.max_depth

    # The record's room, as pydecode.h has it.

    def step(self):
        """False when the record has no room for another step: it ends here."""
        self.steps += 1
        if self.steps > STEPS_MAX or RECORD_END - self.out < STEP_ROOM:
            self.cut = True
        return not self.cut

    def cap(self, size):
        room = RECORD_END - self.out - 32
        limit = self.max_string if self.max_string < room else room
        return limit if size > limit else size

    def leaf(self, stored, cut):
        self.out += 8 + (8 if cut else 0) + _pad(stored)

    # Values. Each returns (json value, notes); a note is (path parts, length).

    def items(self, length, frames, iterator, root=False):
        """A tuple, list or set; frames: containers that are open, the root counted, not itself."""
        if not root:
            if not length:
                self.out += 24
                return [], ()
            if not self.may_open(frames, 0):
                self.out += 24
                return [], [((), length)]
        frames += 1
        self.out += 16
        notes = []
        if length > self.max_items:
            notes.append(((), length))
        values = []
        for child in iterator:
            if len(values) == self.max_items:
                break
            if not self.step():
                break
            value, below = self.value(child, frames)
            for rest, n in below:
                notes.append((("[%d]" % len(values),) + rest, n))
            values.append(value)
        self.close(notes, length)
        return values, notes

    def close(self, notes, length):
        """The end of a container; one that the record's end left open is truncated."""
        if self.step():
            self.out += 8
        elif not (notes and notes[0][0] == ()):
            notes.append(((), length))

    def may_open(self, frames, extra):
        return frames <= self.max_depth + extra and frames < FRAMES_MAX

    def value(self, obj, frames):
        if obj is None:
            self.out += 8
            return None, ()
        cls = type(obj)
        if cls is bool:
            self.out += 8
            return obj, ()
        leaf = self.caps._leaves.get(cls)
        if leaf is not None:
            return leaf(self, obj)
        if cls is tuple:
            return self.items(len(obj), frames, iter(obj))
        if cls is list:
            return self.items(len(obj), frames, iter(obj))
        if cls is dict:
            return self.dict(obj, frames)
        return self.other(obj, cls, frames)

    def other(self, obj, cls, frames):
        """Everything that is not one of the plain types."""
        if issubclass(cls, str):
            return _leaf_str(self, str.__str__(obj))
        if issubclass(cls, int):
            return _leaf_int(self, int.__pos__(obj))
        if issubclass(cls, tuple):
            return self.items(tuple.__len__(obj), frames, tuple.__iter__(obj))
        if issubclass(cls, list):
            return self.items(list.__len__(obj), frames, list.__iter__(obj))
        if issubclass(cls, dict):
            return self.dict(obj, frames)
        if issubclass(cls, bytes):
            return _leaf_bytes(self, bytes.__getitem__(obj, slice(None)))
        if issubclass(cls, type):
            value, cut = self.name(type_name(obj))
            return {"$class": value}, [((), None)] if cut else ()
        if issubclass(cls, BaseException):
            return self.exception(obj, cls, frames)
        if issubclass(cls, float):
            return _leaf_float(self, float.__pos__(obj))
        if issubclass(cls, bytearray):
            return _leaf_bytearray(self, obj)
        if issubclass(cls, set):
            value, notes = self.items(set.__len__(obj), frames, set.__iter__(obj))
            return {"$set": value}, notes
        if issubclass(cls, frozenset):
            value, notes = self.items(frozenset.__len__(obj), frames,
                                      frozenset.__iter__(obj))
            return {"$set": value}, notes
        if cls is types.CodeType:
            return self.fixed(frames, 16, {
                "$code": (".qualname", getattr(obj, _QUALNAME)),
                "file": (".file", obj.co_filename),
                "line": obj.co_firstlineno,
            })
        if cls is types.FunctionType:
            return self.fixed(frames, 8, {
                "$function": (".qualname", obj.__qualname__),
                "module": (".module", _function_module(obj)),
            })
        if issubclass(cls, types.BuiltinFunctionType) or cls.__base__ is types.BuiltinFunctionType:
            name = obj.__name__
            return self.fixed(frames, 8 + _pad(len(name.encode())), {
                "$function": name,
                "module": (".module", _builtin_module(obj)),
            })
        if cls is types.MethodType:
            function = _OBJECTS[(address(obj) + _IM_FUNC) >> 3]
            value, notes = self.fixed(frames, 8, {"": ("", function)})
            return value[""], notes
        if issubclass(cls, types.ModuleType):
            name = _OBJECTS[(address(obj) + _MD_NAME) >> 3]
            return self.fixed(frames, 8, {"$module": (".name", name)})
        name = type_name(cls)
        where = address(obj)
        value, cut = self.name(name, 8)
        return {"$object": value, "address": hex(where)}, [((), None)] if cut else ()

    def name(self, name, word=0):
        """A name that is a C string, cut at what the decoder reads of one."""
        cut = len(name) >= TYPE_NAME_MAX
        name = name[:TYPE_NAME_MAX]
        self.out += 8 + (8 if cut else 0) + word + _pad(len(name))
        return name.decode("utf-8", "surrogateescape"), cut

    def exception(self, obj, cls, frames):
        name = type_name(cls)
        size = 8 + _pad(len(name[:TYPE_NAME_MAX])) + (8 if len(name) >= TYPE_NAME_MAX else 0)
        return self.fixed(frames, size, {
            "$exception": name[:TYPE_NAME_MAX].decode("utf-8", "surrogateescape"),
            "args": (".args", _exception_args(obj)),
        }, len(name) >= TYPE_NAME_MAX)

    def fixed(self, frames, size, members, cut=False):
        """A code object, function …: members are plain values, or (path, object) to be decoded."""
        self.out += size
        notes = [((), None)] if cut else []
        value = {}
        is_open = self.may_open(frames, 2)
        if not is_open:
            notes.append(((), None))
        for key, member in members.items():
            if type(member) is not tuple:
                value[key] = member
            elif not is_open or not self.step():
                value[key] = None
            else:
                value[key], below = self.value(member[1], frames + 1)
                for rest, n in below:
                    notes.append(((member[0],) + rest, n))
        if is_open:
            self.close(notes, None)
        else:
            self.out += 8
        return value, notes

    def dict(self, obj, frames):
        length = dict.__len__(obj)
        if not length:
            self.out += 24
            return {}, ()
        if not self.may_open(frames, 0):
            self.out += 24
            return {}, [((), length)]
        self.out += 16
        notes = []
        if length > self.max_items:
            notes.append(((), length))
        pairs = []
        below = []
        plain = True
        for key, value in list(dict.items(obj)):
            if len(pairs) == self.max_items or not self.step():
                break
            name, key_notes = self.value(key, frames + 1)
            if key_notes or type(name) is not str or name[:1] == "$":
                plain = False
            value_notes = ()
            if self.step():
                value, value_notes = self.value(value, frames + 1)
            else:
                value = None
            below.append((key_notes, value_notes))
            pairs.append([name, value])
        # json_dict.c: an object only when every key is a str that is whole, unique, without a "$".
        names = {merged(name) for name, _ in pairs} if plain else ()
        plain = plain and len(names) == len(pairs)
        for i, (key_notes, value_notes) in enumerate(below):
            where = _path_key(pairs[i][0], i) if plain else "[%d][1]" % i
            for rest, n in key_notes:
                notes.append((("[%d][0]" % i,) + rest, n))
            for rest, n in value_notes:
                notes.append(((where,) + rest, n))
        self.close(notes, length)
        if plain:
            return {name: value for name, value in pairs}, notes
        return {"$dict": pairs}, notes


def _leaf_str(record, obj):
    length = len(obj)
    width = 1
    if not obj.isascii():
        top = max(obj)
        width = 1 if top <= "\xff" else 2 if top <= "\uffff" else 4
    stored = record.cap(length * width) & ~(width - 1)
    cut = stored < length * width
    record.leaf(stored, cut)
    if cut:
        return obj[: stored // width], [((), length)]
    return obj, ()


def _leaf_int(record, obj):
    size = obj.bit_length()
    digits = (size + 29) // 30
    if digits <= 2:
        record.out += 16
        return obj, ()
    stored = record.cap(digits * 4) // 4
    dropped = digits - stored
    if dropped & 1 and stored:
        stored -= 1
        dropped += 1
    record.leaf(stored * 4, dropped)
    if not dropped and _INT_MIN <= obj <= _INT_MAX:
        return obj, ()
    magnitude = abs(obj)
    text = ("-0x" if obj < 0 else "0x") + "%x" % (magnitude >> (30 * dropped))
    # Of no digit at all it is not known how many hexadecimal ones there were.
    length = (size + 3) // 4 if stored else None
    return {"$int": text}, [((), length)] if dropped else ()


def _leaf_bytes(record, obj):
    length = len(obj)
    stored = record.cap(length)
    record.leaf(stored, stored < length)
    value = {"$bytes": _b64encode(obj[:stored]).decode()}
    return value, [((), length)] if stored < length else ()


def _leaf_bytearray(record, obj):
    return _leaf_bytes(record, bytes(bytearray.__getitem__(obj, slice(None))))


def _leaf_float(record, obj):
    record.out += 16
    if obj != obj:
        return {"$float": "nan"}, ()
    if obj in (float("inf"), float("-inf")):
        return {"$float": "inf" if obj > 0 else "-inf"}, ()
    return obj, ()
