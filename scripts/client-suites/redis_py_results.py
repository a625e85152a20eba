"""A pytest plugin: one JSON line per test and phase, written at once, so that a run which is killed keeps its results."""

import json
import os

_results = open(os.environ["RESPITE_CLIENT_RESULTS"], "a", buffering=1, encoding="utf-8")


def pytest_runtest_logreport(report):
    """A test passes in its call phase; it fails in any phase, and is skipped in the first one or in its call."""
    if report.passed and report.when != "call":
        return
    line = {"name": report.nodeid.removeprefix("tests/"), "status": report.outcome}
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        message = crash.message if crash is not None else str(report.longrepr)
        line["error"] = (message.strip() or "no message").splitlines()[0]
    _results.write(json.dumps(line) + "\n")
