#!/usr/bin/env python3
"""Tests of the binary from outside: over HTTP, with signals, full disks and other programs' tools.

    tools/blackbox.py --binary PATH [--only NAME] [--rounds 50] [--quick] [--list]

One line a test, then "N passed, M failed". --only runs the tests whose name contains NAME. --quick makes the big
stores smaller. Needs lz4 and zstd (the tools) and what `tools/dependencies python` gives.
"""
import argparse
import os
import sys
import time
import traceback

from blackbox_tests import (
    access, commands, config, connections, crashes, files, forwarding, hostile, jobs, lifecycle, retention, service,
    slow, users, webheads)
from blackbox_tests.harness import TESTS, Setting, Skipped

ROOMS = (service, access, connections, files, commands, config, jobs, lifecycle, slow, hostile, retention, crashes,
         webheads, forwarding, users)


def main():
    parser = argparse.ArgumentParser(description="Tests the daybook binary from outside.")
    parser.add_argument("--binary", default=".build/release/daybook")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    chosen = [test for room in ROOMS for test in TESTS[room.__name__] if options.only in test.__name__]
    if options.list:
        print(*(f"{test.__name__}: {test.__doc__}" for test in chosen), sep="\n")
        return
    if not os.access(options.binary, os.X_OK):
        sys.exit(f"no binary at {options.binary}: swift build -c release --product daybook")
    results = [run(test, options) for test in chosen]
    print(f"{results.count(True)} passed, {results.count(False)} failed", flush=True)
    sys.exit(1 if False in results or not chosen else 0)


def run(test, options):
    """True: passed, False: failed, None: skipped."""
    start = time.monotonic()
    try:
        with Setting(os.path.abspath(options.binary), options.rounds, options.quick) as setting:
            test(setting)
    except Skipped as reason:
        print(f"skip  {test.__name__}: {reason}", flush=True)
        return None
    except Exception as error:
        frames = [f"{os.path.basename(f.filename)}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[1:]]
        print(f"FAIL  {test.__name__}: {test.__doc__}\n      {type(error).__name__}: {str(error)[:2000]}"
              f"\n      {' > '.join(frames)}", flush=True)
        return False
    print(f"ok    {test.__name__} ({time.monotonic() - start:.1f} s): {test.__doc__}", flush=True)
    return True


if __name__ == "__main__":
    main()
