"""What the documents point at is there, and what they tell the reader to type is understood."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from gridmap.cli import gridmap as root

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").glob("*.md")])
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"`?make ([a-z][a-z-]*)")
VERB = re.compile(r"`gridmap ([a-z]+)(?: ([a-z]+))?\b")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    broken = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert broken == []


def test_the_two_readmes_lead_to_the_same_places() -> None:
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    own = {"README.md", "README.zh-CN.md"}
    assert set(LINK.findall(english)) - own == set(LINK.findall(chinese)) - own
    assert set(MAKE.findall(english)) >= set(MAKE.findall(chinese))


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for line in document.read_text().splitlines()
        for target in re.findall(r"(?:`|^ {4})make ([a-z][a-z-]*)", line)
    }
    assert named
    assert named <= targets


def test_every_command_exists() -> None:
    named = {found for document in DOCUMENTS for found in VERB.findall(document.read_text())}
    assert ("demo", "") in named or ("serve", "") in named
    wrong = [" ".join(words) for words in sorted(named) if not understood([word for word in words if word])]
    assert wrong == []


def understood(words: list[str]) -> bool:
    """Whether the words name a command; words after a command that has no sub-commands are its arguments."""
    command: click.Command | None = root
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
    return command is not None and "cannot be loaded" not in (command.short_help or "")
