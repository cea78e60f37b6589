"""The demo district: a fictional Chinese county at true scale, drawn from a seed.

`generate(out_dir, seed, scale)` writes it as the files that the import verbs take and returns a `Manifest`;
`generate_big` writes the benchmark set. Everything in it is invented and marked 演示; its division code begins
with 9901, which is assigned to no place.
"""

from __future__ import annotations

from gridmap.demo.district.generate import generate
from gridmap.demo.district.manifest import DemoFile, Manifest, load_manifest
from gridmap.demo.district.scale import BIG, NORMAL, SCALES, SMALL, Scale

__all__ = ["BIG", "NORMAL", "SCALES", "SMALL", "DemoFile", "Manifest", "Scale", "generate", "load_manifest"]
