"""`python3 -m gridmap.bootstrap setup|npm`, called by the Makefile."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from gridmap.bootstrap.frontend import ensure_frontend, run_npm
from gridmap.bootstrap.layout import ROOT
from gridmap.bootstrap.python_env import ensure_packages, ensure_venv
from gridmap.bootstrap.steps import SetupError, say
from gridmap.bootstrap.system import ensure_system


def main() -> int:
    """Exit status 0 done, 1 refused with what to do about it, 130 stopped by hand."""
    try:
        arguments = _parse()
        if arguments.command == "npm":
            return run_npm(arguments.arguments)
        with _alone():
            _set_up(for_tests=arguments.tests)
    except SetupError as error:
        print(f"\nset-up: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"\nset-up: {error}. Was this checkout set up by another user?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gridmap.bootstrap")
    commands = parser.add_subparsers(dest="command", required=True)
    setup = commands.add_parser("setup", help="install and build whatever is missing or has changed")
    setup.add_argument("--tests", action="store_true", help="also what the tests need")
    npm = commands.add_parser("npm", help="run npm in web/frontend with the right Node")
    npm.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args()


def _set_up(*, for_tests: bool) -> None:
    started = time.monotonic()
    ensure_system(for_tests=for_tests)
    version = ensure_venv()
    # The two halves meet only in the environment's pip, and each takes about as long as the other.
    with ThreadPoolExecutor() as pool:
        packages = pool.submit(ensure_packages, version, for_tests=for_tests)
        pages = pool.submit(ensure_frontend)
    packages.result()
    pages.result()
    say(f"set-up: ready after {time.monotonic() - started:.1f} s")


@contextmanager
def _alone() -> Iterator[None]:
    """Two set-ups of one checkout take turns; the lock dies with its process."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("set-up: waiting for another set-up of this checkout")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main())
