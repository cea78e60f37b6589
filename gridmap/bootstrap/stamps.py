"""What has been done already, remembered by the content of what it was made from.

Contents, not file times: a fresh clone, a switched branch and a touched file all have misleading times.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from gridmap.bootstrap.layout import ROOT, STAMPS


def digest_of(files: Iterable[Path], *facts: str) -> str:
    """A digest over the names and contents of `files` and over other `facts` that the result depends on."""
    digest = hashlib.sha256("\0".join(facts).encode())
    for file in sorted(files):
        digest.update(b"\0" + os.path.relpath(file, ROOT).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def is_done(name: str, digest: str, folder: Path = STAMPS) -> bool:
    """Whether step `name` was last finished from just this content."""
    stamp = folder / name
    return stamp.is_file() and stamp.read_text() == digest


def mark_done(name: str, digest: str, folder: Path = STAMPS) -> None:
    """Remember it. Called only after the step has succeeded, so an interrupted step is done again."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(digest)
