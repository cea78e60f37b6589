"""Where things lie in a checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
SHARE = VENV / "share" / "gridmap"
STAMPS = SHARE / "stamps"
# Read by gridmap.adapters.valhalla_bin.
VALHALLA = SHARE / "valhalla"
NODE = SHARE / "node"

PYPROJECT = ROOT / "pyproject.toml"
RUNTIME_LOCK = ROOT / "requirements.lock"
TEST_LOCK = ROOT / "requirements-test.lock"
NODE_LOCK = ROOT / "requirements-node.lock"

FRONTEND = ROOT / "web" / "frontend"
NODE_MODULES = FRONTEND / "node_modules"
BUILT_PAGES = ROOT / "web" / "static" / "dist"
