"""The backup file: a zip of the database dump, the roles and a manifest with a checksum of each part."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

from gridmap.errors import Conflict, Invalid

FORMAT = 1
MANIFEST = "manifest.json"
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One member of the file: its size and SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself. `rows` counts every table of the dump, in the dump's own snapshot."""

    created_at: str
    gridmap_version: str
    postgres_version: str
    revision: str | None
    secret_key_fingerprint: str | None
    rows: dict[str, int]
    parts: dict[str, Part] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, content: bytes) -> Manifest:
        """Raises Invalid("backup_broken") or Invalid("backup_newer")."""
        try:
            fields = json.loads(content)
            if fields["format"] > FORMAT:
                raise Invalid("backup_newer", format=fields["format"], understood=FORMAT)
            fields["parts"] = {name: Part(**part) for name, part in fields["parts"].items()}
            return cls(**fields)
        except (ValueError, KeyError, TypeError):
            raise Invalid("backup_broken", part=MANIFEST) from None


class BackupWriter:
    """Writes a backup aside, for its owner's eyes only, and puts it in place when all of it is on disk."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise Conflict("file_exists", path=str(path))
        self._path = path
        self._unfinished = path.with_name(path.name + ".unfinished")
        self._parts: dict[str, Part] = {}

    def __enter__(self) -> BackupWriter:
        descriptor = os.open(self._unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)

    def add(self, name: str, fill: Callable[[Callable[[bytes], object]], None]) -> None:
        """Add a part: `fill` is called with a function that takes its blocks, one after the other."""
        digest = hashlib.sha256()
        size = 0
        with self._zip.open(name, "w", force_zip64=True) as member:

            def take(block: bytes) -> None:
                nonlocal size
                member.write(block)
                digest.update(block)
                size += len(block)

            fill(take)
        self._parts[name] = Part(size, digest.hexdigest())

    def finish(self, manifest: Manifest) -> Manifest:
        """Write the manifest with the checksums of all parts, and put the file in place."""
        complete = Manifest(**{**manifest.__dict__, "parts": dict(self._parts)})
        self._zip.writestr(MANIFEST, complete.to_json())
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.rename(self._path)
        return complete


class BackupReader:
    """A backup file whose every part was checked against its manifest before anything is done with it."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = Manifest.from_json(self._zip.read(MANIFEST))
            for name, part in self.manifest.parts.items():
                self._check(name, part)
        except FileNotFoundError:
            raise Invalid("file_missing", path=str(path)) from None
        except (zipfile.BadZipFile, KeyError, EOFError):
            raise Invalid("backup_broken", path=str(path)) from None

    def blocks(self, name: str) -> Iterator[bytes]:
        """The content of one part, in order."""
        with self._zip.open(name) as member:
            while block := member.read(_BLOCK_BYTES):
                yield block

    def text(self, name: str) -> str:
        return b"".join(self.blocks(name)).decode()

    def _check(self, name: str, part: Part) -> None:
        digest = hashlib.sha256()
        for block in self.blocks(name):
            digest.update(block)
        if digest.hexdigest() != part.sha256:
            raise Invalid("backup_broken", part=name)

    def close(self) -> None:
        self._zip.close()
