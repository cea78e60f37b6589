"""How work in the background steps back behind live work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridmap.adapters.processes import BATCH_NICENESS, give_way


def _session_niceness(pid: int) -> int:
    return int(Path(f"/proc/{pid}/autogroup").read_text().rsplit("nice", 1)[1])


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not group sessions")
def test_a_session_steps_back_as_a_whole() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        give_way(other.pid)
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == BATCH_NICENESS
        assert _session_niceness(other.pid) == BATCH_NICENESS
        give_way(other.pid, niceness=1)
        assert _session_niceness(other.pid) == BATCH_NICENESS, "nobody is pushed forward"
        other.kill()


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not group sessions")
def test_a_shell_gets_its_session_back() -> None:
    """As in a terminal: the command shares the session of the shell that outlives it."""
    command = f"{sys.executable} -c 'from gridmap.adapters.processes import *; give_way(); print(_read())'"
    command = command.replace("_read()", 'Path("/proc/self/autogroup").read_text()')
    shell = subprocess.run(
        ["sh", "-c", f"{command}; cat /proc/self/autogroup"],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    during, after = (int(line.rsplit("nice", 1)[1]) for line in shell.stdout.split("\n") if "nice" in line)
    assert (during, after) == (BATCH_NICENESS, 0)


def test_who_is_gone_is_no_error() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    give_way(gone.pid)
