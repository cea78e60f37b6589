"""The command line loads verbs that others register, and says so when one is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VERBS = """
import click
from gridmap.errors import Conflict

@click.command()
@click.option("--json", "as_json", is_flag=True)
def fine(as_json):
    "Does what it should."
    click.echo("done")

@click.command()
def refused():
    raise Conflict("dispatch_open", dispatches=2)

number = 7
"""
ENTRY_POINTS = """
[gridmap.commands]
fine = testverbs:fine
refused = testverbs:refused
gone = testverbs_gone:verb
number = testverbs:number
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder with another package's verbs, as pip would have installed it."""
    (tmp_path / "testverbs.py").write_text(VERBS)
    info = tmp_path / "testverbs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: testverbs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def gridmap(plugin: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gridmap", *arguments],
        env=os.environ | {"PYTHONPATH": str(plugin)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_verb_and_why_one_is_broken(plugin: Path) -> None:
    said = gridmap(plugin, "--help")
    assert said.returncode == 0
    assert "Does what it should." in said.stdout
    unfolded = " ".join(said.stdout.split())
    assert "gone cannot be loaded (ModuleNotFoundError: No module named 'testverbs_gone')" in unfolded


def test_a_broken_verb_leaves_the_others_alone(plugin: Path) -> None:
    said = gridmap(plugin, "fine", "--json")
    assert (said.returncode, said.stdout) == (0, "done\n")


@pytest.mark.parametrize("arguments", [[], ["--json", "file"], ["--help"]])
def test_calling_a_broken_verb_says_why_and_exits_1(plugin: Path, arguments: list[str]) -> None:
    said = gridmap(plugin, "gone", *arguments)
    assert said.returncode == 1
    assert "'gone' cannot be loaded from testverbs_gone:verb" in said.stderr
    assert "Traceback" not in said.stderr


def test_something_that_is_no_command_is_a_broken_verb(plugin: Path) -> None:
    said = gridmap(plugin, "number")
    assert said.returncode == 1
    assert "testverbs:number is no click command" in said.stderr


def test_a_refusal_is_one_line_and_exit_status_1(plugin: Path) -> None:
    said = gridmap(plugin, "refused")
    assert (said.returncode, said.stderr) == (1, "gridmap: dispatch_open (dispatches=2)\n")


@pytest.mark.parametrize("arguments", [["nonsense"], ["fine", "--nonsense"]])
def test_wrong_usage_is_exit_status_2(plugin: Path, arguments: list[str]) -> None:
    assert gridmap(plugin, *arguments).returncode == 2
