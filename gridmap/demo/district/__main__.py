"""`python -m gridmap.demo.district`: draw a district into a folder, in a process of its own.

Drawing needs the whole scientific stack; who only serves the demo need not load it.
"""

from __future__ import annotations

from pathlib import Path

import click

from gridmap.demo.district.generate import generate
from gridmap.demo.district.scale import SCALES


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", required=True, type=int)
@click.option("--scale", required=True, type=click.Choice(sorted(SCALES)))
def main(out: Path, seed: int, scale: str) -> None:
    """Write the files of a demo district and its manifest, for `gridmap import`."""
    generate(out, seed, SCALES[scale], say=click.echo)


if __name__ == "__main__":
    main(prog_name="gridmap demo generate")
