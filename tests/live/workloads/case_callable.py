# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Code objects, functions, builtin functions, methods, and what is called and is none of them."""

import functools
import json
import os
import sys
import types


def generator():
    yield 1


async def coroutine():
    pass


class Class:
    def method(self):
        return lambda: self

    @classmethod
    def of_class(cls):
        pass

    @staticmethod
    def static():
        pass

    def __call__(self):
        pass


def named(qualname, module="m"):
    def function():
        pass

    function.__qualname__ = qualname
    function.__module__ = module
    return function


def functions():
    yield generator
    yield coroutine
    yield lambda: None
    yield Class.method
    yield Class.static
    yield Class().method()
    yield json.dumps
    yield named("q" * 5000)
    yield named("\u20ac.\U0001f600")
    yield named("f", None)
    yield named("f", 5)
    yield named("f", ["a", ("b",)])
    yield functools.lru_cache()(generator)


def methods():
    instance = Class()
    yield instance.method
    yield instance.of_class
    yield Class.of_class
    yield types.MethodType(len, [])
    yield types.MethodType(instance, 1)
    yield types.MethodType(types.MethodType(named("inner"), 1), 2)
    yield types.MethodType(types.MethodType(types.MethodType(named("innermost"), 1), 2), 3)


def builtins():
    yield len
    yield print
    yield [].append
    yield "".join
    yield {}.get
    yield os.getpid
    yield sys.audit
    yield dict.fromkeys
    yield object.__new__
    yield type.__call__
    yield object().__str__
    yield str.upper
    yield functools.partial(len, "x")
    yield int.__add__
    yield Class().__call__
    yield Class()


def codes():
    for function in (generator, coroutine, Class.method, json.dumps, named("x")):
        yield function.__code__
    yield compile("1 + 1", "<string>", "eval")
    yield compile("pass", "f" * 5000, "exec")
    yield compile("\n" * 70000 + "pass", "\u20ac.py", "exec")
    yield compile("def outer():\n  def inner(): pass\n", "/tmp/x.py", "exec")
    yield from (c for c in Class.method.__code__.co_consts if isinstance(c, types.CodeType))
    yield named("x").__code__.replace(co_firstlineno=0)
    yield named("x").__code__.replace(co_name="\u540d\u524d")


def cases():
    for value in list(functions()) + list(methods()) + list(builtins()) + list(codes()):
        yield value
        yield [value]
        yield {"callable": (value,)}


def main():
    for value in cases():
        sys.audit("pytrail.case", value)


if __name__ == "__main__":
    main()
