"""A stored photo tells nothing of its maker, and what is no photo is refused."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gridmap.errors import Invalid, TooLarge
from gridmap.services.blobs import LONGEST_SIDE_PX, MAX_BYTES, clean_photo

ORIENTATION, GPS = 0x0112, 0x8825


def _photo(width_px: int = 400, height_px: int = 300) -> bytes:
    image = Image.new("RGB", (width_px, height_px), "red")
    image.putpixel((0, 0), (0, 0, 255))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "SecretMaker"
    exif.get_ifd(GPS)[1] = "N"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


def test_exif_is_gone_and_the_picture_stands_upright() -> None:
    source = _photo()
    assert b"SecretMaker" in source
    cleaned = clean_photo(source)
    assert b"SecretMaker" not in cleaned.content
    with Image.open(io.BytesIO(cleaned.content)) as image:
        assert not dict(image.getexif())
        assert image.size == (300, 400)


def test_a_large_photo_is_shrunk() -> None:
    with Image.open(io.BytesIO(clean_photo(_photo(4_000, 3_000)).content)) as image:
        assert max(image.size) == LONGEST_SIDE_PX


@pytest.mark.parametrize("content", [b"", b"not a picture", b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 50])
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="not_a_photo"):
        clean_photo(content)


def test_a_truncated_photo_is_refused() -> None:
    with pytest.raises(Invalid, match="not_a_photo"):
        clean_photo(_photo()[:600])


def test_too_many_bytes_and_too_many_pixels() -> None:
    with pytest.raises(TooLarge, match="photo_too_large"):
        clean_photo(b"\xff" * (MAX_BYTES + 1))
    bomb = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(bomb, "PNG")
    with pytest.raises((TooLarge, Invalid)):
        clean_photo(bomb.getvalue())
