"""Packed files: what is inside is measured before anything is unpacked, and unpacked only under a ceiling."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from gridmap.errors import Invalid, TooLarge
from ingest.ceilings import Ceilings

_BLOCK = 1024 * 1024


def check_zip(path: Path, ceilings: Ceilings) -> list[zipfile.ZipInfo]:
    """The members of a zip archive that is safe to unpack.

    Raises:
        TooLarge: "zip_bomb" when it would unpack to too much, or at an impossible ratio.
        Invalid: "zip_broken", "zip_path_unsafe" (a member that would land elsewhere), "zip_encrypted".
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise Invalid("zip_broken", file=path.name) from error
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    small = unpacked < 16 * _BLOCK
    if len(members) > ceilings.pack_members or unpacked > ceilings.unpacked_bytes:
        raise TooLarge("zip_bomb", file=path.name, members=len(members), unpacked_bytes=unpacked)
    if not small and unpacked // packed > ceilings.pack_ratio:
        raise TooLarge("zip_bomb", file=path.name, ratio=unpacked // packed, unpacked_bytes=unpacked)
    for member in members:
        inside = PurePosixPath(member.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in member.filename:
            raise Invalid("zip_path_unsafe", file=path.name, member=member.filename[:80])
        if member.flag_bits & 0x1:
            raise Invalid("zip_encrypted", file=path.name)
    return members


def unpack_member(path: Path, member: zipfile.ZipInfo, target: Path, ceilings: Ceilings) -> None:
    """One member under a name of our choosing. The header's size may lie, so the copy counts for itself."""
    with zipfile.ZipFile(path) as archive, archive.open(member) as packed, target.open("wb") as plain:
        try:
            _copy(packed, plain, path, min(ceilings.unpacked_bytes, member.file_size))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Invalid("zip_broken", file=path.name) from error


def unpack_gzip(path: Path, target: Path, ceilings: Ceilings) -> None:
    """A .gz file beside its ceiling."""
    with gzip.open(path, "rb") as packed, target.open("wb") as plain:
        try:
            _copy(packed, plain, path, ceilings.unpacked_bytes)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise Invalid("gzip_broken", file=path.name) from error
    ratio = target.stat().st_size // max(1, path.stat().st_size)
    if target.stat().st_size > 16 * _BLOCK and ratio > ceilings.pack_ratio:
        raise TooLarge("zip_bomb", file=path.name, ratio=ratio)


def _copy(packed: IO[bytes] | gzip.GzipFile, plain: IO[bytes], path: Path, ceiling_bytes: int) -> None:
    written = 0
    while block := packed.read(_BLOCK):
        written += len(block)
        if written > ceiling_bytes:
            raise TooLarge("zip_bomb", file=path.name, unpacked_bytes=written)
        plain.write(block)
