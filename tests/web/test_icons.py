"""The icons that the manifest names are there, in the size it says, and drawn."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from PIL import Image


def test_every_icon_of_the_manifest_is_what_it_says(anonymous: FlaskClient) -> None:
    manifest = anonymous.get("/patrol/manifest.webmanifest").get_json(force=True)
    pngs = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    # What Chromium asks for before it offers to install a page.
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in pngs}
    for icon in pngs:
        answer = anonymous.get(icon["src"])
        picture = Image.open(io.BytesIO(answer.data))
        assert (answer.mimetype, picture.format, f"{picture.width}x{picture.height}") == (
            "image/png",
            "PNG",
            icon["sizes"],
        )
        corner = picture.convert("RGBA").getpixel((0, 0))
        assert isinstance(corner, tuple)
        assert (corner[3] == 255) == (icon["purpose"] == "maskable"), (
            "a launcher cuts the maskable one itself"
        )


@pytest.mark.parametrize("name", ["icon-1.png", "icon-100000.png", "maskable-7.png"])
def test_no_other_size_is_drawn(anonymous: FlaskClient, name: str) -> None:
    assert anonymous.get(f"/patrol/{name}").status_code == 404
