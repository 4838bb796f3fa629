"""Lets pyftpdlib's test suite speak to another server: a pytest plugin, with the port in FTP_PORT.

The cases of the table in CONFORMANCE are left out: a row begins with `Class::test` or `Class`, and speaks for the
classes that inherit from it, too."""

import os
import pathlib
import re
import types

import pytest
import tests

HOST = "127.0.0.1"
ROW = re.compile(r"^\| `(Test[\w:`, ]+)` \|", re.MULTILINE)


class OutsideServer:
    """Stands for the server that a case would start. What a case sets on it has no effect."""

    handler, server_class = tests.FTPHandler, tests.FTPServer
    port = int(os.environ["FTP_PORT"])

    def __init__(self, addr=None):
        self.host = addr[0] if addr else HOST
        self.server = types.SimpleNamespace(max_cons=0, max_cons_per_ip=0)

    def start(self):
        pass

    def stop(self):
        tests.reset_server_opts()


tests.FtpdThreadWrapper = tests.FtpdMultiprocWrapper = OutsideServer
tests.HOST = HOST
# What waits for so long has failed, also on a slow machine; and nothing is tried again.
tests.GLOBAL_TIMEOUT = 60
tests.NO_RETRIES = 1

raises = pytest.raises


def raises_code(error, match=None):
    """A reply's code counts, not its words, which are each server's own (RFC 959, 4.2)."""
    code = re.match(r"\d{3}", match or "")
    return raises(error, match=code and code.group())


pytest.raises = raises_code


def left_out():
    rows = ROW.findall(pathlib.Path(os.environ["CONFORMANCE"]).read_text())
    return {name for row in rows for name in re.findall(r"[\w:]+", row)}


def pytest_collection_modifyitems(config, items):
    named, seen, kept, rest = left_out(), set(), [], []
    # One module imports the other's classes, which are its own already.
    for item in (item for item in items if item.cls.__module__ == item.module.__name__):
        classes = [kind.__name__ for kind in item.cls.__mro__]
        matching = named & set(classes + [f"{kind}::{item.name}" for kind in classes])
        seen |= matching
        (rest if matching else kept).append(item)
    if seen != named:
        raise pytest.UsageError(f"the table names cases that do not exist: {named - seen}")
    config.hook.pytest_deselected(items=rest)
    items[:] = kept
