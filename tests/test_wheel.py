"""The wheel carries everything the command line needs, in an environment that never saw the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


def run(*command: str | Path, folder: Path | None = None) -> str:
    finished = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_the_wheel_holds_code_and_data_but_no_sources_of_pages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"gridmap/cli.py", "layers/__init__.py", "ingest/__init__.py", "web/__init__.py"} <= set(names)
    assert "gridmap/_vocab/classes.toml" in names
    assert any(name.startswith("gridmap/db/migrations/versions/") for name in names)
    assert any(name.startswith("gridmap/db/sql/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("web/frontend", "gridmap/bootstrap", "tests")) for name in names)
    if (ROOT / "web" / "static" / "dist").is_dir():
        assert any(name.startswith("web/static/dist/") for name in names)


def test_the_wheel_runs_with_borrowed_dependencies(wheel: Path, tmp_path: Path) -> None:
    """The environment is new; only the libraries are those of this one, to save their installation."""
    python = make_environment(tmp_path / "env")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel)
    site_packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    check_command_line(python, tmp_path)


@pytest.mark.slow
def test_the_wheel_runs_with_its_own_locked_dependencies(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "env")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python]
    pip += ["install", "--quiet", "--no-deps"]
    run(*pip, "--require-hashes", "--only-binary=:all:", "--requirement", ROOT / "requirements.lock")
    run(*pip, wheel)
    run(sys.executable, "-m", "pip", "--python", python, "check")
    check_command_line(python, tmp_path)


def make_environment(folder: Path) -> Path:
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    return folder / "bin" / "python"


def check_command_line(python: Path, outside: Path) -> None:
    """Every verb of the help loads, from the wheel and not from the checkout."""
    said = run(python.parent / "gridmap", "--help", folder=outside)
    assert "cannot be loaded" not in said
    assert " serve " in said
    where = run(python, "-c", "import gridmap, web; print(gridmap.__file__, web.__file__)", folder=outside)
    assert str(ROOT) not in where
    load = "from gridmap.domain.vocab import vocabulary; print(vocabulary())"
    assert run(python, "-c", load, folder=outside)
