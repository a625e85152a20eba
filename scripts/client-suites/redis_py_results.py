"""A pytest plugin: one JSON line per event, written at once, so that a run which is killed keeps its results."""

import json
import os

_progress = open(os.environ["RESPITE_TEST_PROGRESS"], "a", buffering=1, encoding="utf-8")


def _write(name, status, **more):
    _progress.write(json.dumps({"name": name, "status": status, **more}) + "\n")


def _name(nodeid):
    return nodeid.removeprefix("tests/")


def pytest_collection_modifyitems(items):
    """Leaves out the tests that a run before this one has come to."""
    with open(os.environ["RESPITE_TESTS_FINISHED"], encoding="utf-8") as lines:
        finished = set(json.load(lines))
    items[:] = [item for item in items if _name(item.nodeid) not in finished]


def pytest_runtest_logstart(nodeid):
    _write(_name(nodeid), "started")


def pytest_runtest_logreport(report):
    """A test passes in its call phase; it fails in any phase, and is skipped in the first one or in its call."""
    if report.passed and report.when != "call":
        return
    if not report.failed:
        _write(_name(report.nodeid), report.outcome)
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr)
    _write(_name(report.nodeid), "failed", error=(message.strip() or "no message").splitlines()[0])


def pytest_runtest_logfinish(nodeid):
    _write(_name(nodeid), "ended")
