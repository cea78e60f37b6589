"""Set-up's own rules; that it sets a machine up is shown by whoever runs these tests through it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gridmap.bootstrap import stamps, system
from gridmap.bootstrap.frontend import is_new_enough
from gridmap.bootstrap.layout import RUNTIME_LOCK
from gridmap.bootstrap.python_env import find_locked
from gridmap.bootstrap.steps import SetupError, run_step

ROOT = Path(__file__).resolve().parents[2]


def test_it_runs_where_nothing_is_installed() -> None:
    """Isolated and without site-packages: what a fresh machine's Python has."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import gridmap.bootstrap.__main__"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)


def test_a_stamp_follows_the_content_and_not_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, file = tmp_path / "stamps", tmp_path / "lock"
    file.write_text("a==1")
    before = stamps.digest_of([file], "3.11")
    assert not stamps.is_done("packages", before, done)
    stamps.mark_done("packages", before, done)

    file.touch()
    assert stamps.is_done("packages", stamps.digest_of([file], "3.11"), done)
    assert not stamps.is_done("packages", stamps.digest_of([file], "3.12"), done)
    file.write_text("a==2")
    assert not stamps.is_done("packages", stamps.digest_of([file], "3.11"), done)


def test_a_renamed_file_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    before = stamps.digest_of([tmp_path / "a"])
    (tmp_path / "a").rename(tmp_path / "b")
    assert stamps.digest_of([tmp_path / "b"]) != before


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ((18, 20), False),
        ((20, 18), False),
        ((20, 19), True),
        ((21, 7), False),
        ((22, 11), False),
        ((22, 12), True),
    ],
)
def test_which_node_builds_the_pages(version: tuple[int, int], enough: bool) -> None:
    assert is_new_enough(version) is enough


def test_the_routing_wheel_is_pinned_by_the_same_lock() -> None:
    requirement = find_locked(RUNTIME_LOCK.read_text(), "pyvalhalla")
    assert requirement.startswith("pyvalhalla==")
    assert "--hash=sha256:" in requirement
    assert "python" not in requirement.split("--hash")[0]


@pytest.mark.parametrize("lock", ["", "a==1 --hash=sha256:0\na==2 --hash=sha256:1\n"])
def test_a_lock_without_exactly_one_pin_is_refused(lock: str) -> None:
    with pytest.raises(SetupError, match="exactly once"):
        find_locked(lock, "a")


def test_a_failed_step_shows_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetupError, match=r"(?s)status 3.*out.*err"):
        run_step("trial", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert "trial:" not in capsys.readouterr().out


def test_a_missing_program_is_a_refusal() -> None:
    with pytest.raises(SetupError, match="no-such-program"):
        run_step("trial", ["no-such-program"])


def test_nothing_is_missing_where_these_tests_run() -> None:
    assert system.find_missing(for_tests=True) == []


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a packaged PostgreSQL 15 without PostGIS, and nothing else on the path."""
    programs = tmp_path / "lib/15/bin"
    programs.mkdir(parents=True)
    (programs / "initdb").touch(mode=0o755)
    (tmp_path / "path").mkdir()
    monkeypatch.setattr(system, "_POSTGRES_PROGRAMS", tmp_path / "lib")
    monkeypatch.setattr(system, "_POSTGRES_SHARE", tmp_path / "share")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def test_a_link_to_the_packaged_postgres_still_lacks_postgis(packaged: Path) -> None:
    (packaged / "path/initdb").symlink_to(packaged / "lib/15/bin/initdb")
    lacking = {name for lack in system.find_missing(for_tests=False) for name in lack.packages}
    assert "postgresql-15-postgis-3" in lacking

    control = packaged / "share/15/extension/postgis.control"
    control.parent.mkdir(parents=True)
    control.touch()
    assert not any(
        "postgis" in name for lack in system.find_missing(for_tests=False) for name in lack.packages
    )


def test_an_own_postgres_counts_with_its_postgis_only(
    packaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = packaged / "own"
    (own / "bin").mkdir(parents=True)
    (own / "bin/initdb").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(own / "bin"))
    assert any("postgis" in name for lack in system.find_missing(for_tests=False) for name in lack.packages)
    (own / "share/extension").mkdir(parents=True)
    (own / "share/extension/postgis.control").touch()
    assert not any(
        "postgis" in name for lack in system.find_missing(for_tests=False) for name in lack.packages
    )
