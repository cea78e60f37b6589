"""The virtual environment and what is in it, to the hash."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gridmap.bootstrap.layout import PYPROJECT, ROOT, RUNTIME_LOCK, TEST_LOCK, VALHALLA, VENV, VENV_PYTHON
from gridmap.bootstrap.stamps import digest_of, is_done, mark_done
from gridmap.bootstrap.steps import SetupError, clean_environment, run_step

# Locks are complete and hashed, so nothing is resolved, built from source or taken unpinned.
_PIP_INSTALL = ("install", "--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:")
_VALHALLA_PACKAGE = "pyvalhalla"
_VALHALLA_NEEDS = (3, 12)


def ensure_venv() -> tuple[int, int]:
    """Make the environment if there is none that works, and answer its Python version."""
    version = _venv_version()
    if version is None:
        run_step(f"virtual environment in {VENV.name}", [sys.executable, "-m", "venv", "--clear", VENV])
        version = _venv_version()
    if version is None:
        raise SetupError(f"{VENV} has no working Python with pip")
    return version


def ensure_packages(version: tuple[int, int], *, for_tests: bool) -> None:
    """The locked packages, gridmap itself and the routing programs, for an environment of this `version`."""
    python = f"{version[0]}.{version[1]}"
    _ensure_locked(python, for_tests=for_tests)
    install_self = digest_of([PYPROJECT], python, str(ROOT))
    if not is_done("gridmap", install_self):
        # hatchling comes from the lock: building without isolation keeps unpinned packages out.
        pip("gridmap itself", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)
        mark_done("gridmap", install_self)
    if version < _VALHALLA_NEEDS:
        _ensure_routing_programs()


def install_locked(title: str, lock: Path, folder: Path | None = None) -> None:
    """Every package of `lock` that suits this Python and machine; each file is checked against its hash.

    Into the environment, or into a `folder` of its own.
    """
    target: list[str | Path] = ["--upgrade", "--target", folder] if folder else []
    pip(title, *_PIP_INSTALL, *target, "--requirement", lock)


def pip(title: str, *arguments: str | Path) -> None:
    """pip of the environment. Which index it asks is the machine's own business."""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    run_step(title, [VENV_PYTHON, "-m", "pip", *arguments], environment=quiet)


def _venv_version() -> tuple[int, int] | None:
    """The Python version of a working environment; None if there is none or it is broken or too old."""
    probe = "import pip, sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [VENV_PYTHON, "-c", probe],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
    except OSError:
        return None
    if answer.returncode != 0:
        return None
    major, minor = (int(part) for part in answer.stdout.split())
    return (major, minor) if (major, minor) >= (3, 11) else None


def _ensure_locked(python: str, *, for_tests: bool) -> None:
    """The test lock holds the runtime lock's packages too, so either one serves a demo."""
    with_tests = digest_of([RUNTIME_LOCK, TEST_LOCK], python)
    if is_done("packages", with_tests):
        return
    if for_tests:
        install_locked("Python packages", TEST_LOCK)
        mark_done("packages", with_tests)
        return
    runtime_only = digest_of([RUNTIME_LOCK], python)
    if not is_done("packages", runtime_only):
        install_locked("Python packages", RUNTIME_LOCK)
        mark_done("packages", runtime_only)


def _ensure_routing_programs() -> None:
    """The routing wheel does not install on this Python, but its programs need no Python: unpack them."""
    requirement = find_locked(RUNTIME_LOCK.read_text(), _VALHALLA_PACKAGE)
    digest = digest_of([], requirement)
    if is_done("routing", digest) and VALHALLA.is_dir():
        return
    VALHALLA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=VALHALLA.parent) as folder:
        wanted = Path(folder) / "routing.lock"
        wanted.write_text(requirement)
        newer = ".".join(str(part) for part in _VALHALLA_NEEDS)
        options = ("--quiet", "--no-deps", "--only-binary=:all:", "--python-version", newer)
        pip("routing programs", "download", *options, "--require-hashes", "-r", wanted, "-d", folder)
        (wheel,) = Path(folder).glob("*.whl")
        # Removed first: a program that runs cannot be written over, but its file can be replaced.
        shutil.rmtree(VALHALLA, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(VALHALLA)
    for program in (VALHALLA / "valhalla" / "bin").iterdir():
        program.chmod(0o755)
    mark_done("routing", digest)


def find_locked(lock: str, package: str) -> str:
    """The one requirement of `package` in a lock's text with its hashes and without its marker.

    The marker goes because it says "not on this Python", which is why the caller asks.
    """
    lines = lock.replace("\\\n", " ").splitlines()
    found = [line for line in lines if line.startswith(f"{package}==")]
    if len(found) != 1:
        raise SetupError(f"the lock must pin {package} exactly once, found {len(found)}")
    pinned = found[0].split()[0]
    hashes = [word for word in found[0].split() if word.startswith("--hash=")]
    return f"{pinned} {' '.join(hashes)}\n"
