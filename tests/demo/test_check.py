"""`gridmap demo --check` from nothing: draw, load, serve, walk the main job as a client, leave no trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_main_job_is_walked_from_nothing(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDMAP_")}
    folders = {"GRIDMAP_DATA_DIR": str(tmp_path / "data"), "TMPDIR": "/tmp"}
    done = subprocess.run(
        [sys.executable, "-m", "gridmap", "demo", "--check", "--json"],
        env=kept | folders,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"]
    names = [step["name"] for step in answer["steps"]]
    assert names[0] == "log in"
    assert "verify and close" in names
    assert not (tmp_path / "data").exists()
