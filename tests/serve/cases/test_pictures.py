"""What is sent as a photo: judged by content, drawn anew, nothing of the telephone left in it."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from beffroi.serve.cases.definition import BadCase, Upload
from beffroi.serve.cases.pictures import MAX_BYTES, cleaned
from serve_makers import photo


def _with_exif() -> bytes:
    picture = Image.new("RGB", (600, 400), "teal")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010F] = "TelephoneMaker"
    exif.get_ifd(0x8825)[2] = (43.0, 36.0, 38.0)
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=b"chez moi")
    return out.getvalue()


def test_a_photo_keeps_its_pixels_and_loses_what_the_telephone_wrote() -> None:
    raw = _with_exif()
    assert b"TelephoneMaker" in raw
    file = cleaned(Upload("IMG 1.JPG", raw))
    for bytes_kept in (file.content, file.thumbnail):
        kept = Image.open(io.BytesIO(bytes_kept))
        assert dict(kept.getexif()) == {}
        assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
        assert b"TelephoneMaker" not in bytes_kept
        assert b"chez moi" not in bytes_kept
    # Upright: the quarter turn was applied, not merely forgotten.
    assert (file.width_px, file.height_px) == (400, 600)
    assert file.media_type == "image/jpeg"


def test_a_large_photo_is_brought_down_and_a_transparent_one_gets_a_white_ground() -> None:
    assert cleaned(photo(size=(5000, 2500))).width_px == 2048
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
    kept = Image.open(io.BytesIO(cleaned(Upload("x.png", out.getvalue())).content))
    assert kept.getpixel((5, 5)) == (255, 255, 255)


def _png_bomb() -> bytes:
    """A PNG of 50,000 × 50,000 points in a few bytes of nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + b"\0" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7 ",
        photo().content[:200],
        b"\xff\xd8\xff\xe0" + b"\0" * 500,
        _png_bomb(),
        b"x" * (MAX_BYTES + 1),
    ],
    ids=["empty", "gif", "svg", "pdf", "cut", "forged", "bomb", "too-heavy"],
)
def test_what_is_no_photo_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(BadCase) as told:
        cleaned(Upload("../../etc/<b>x\0.jpg", content))
    assert "photo" in str(told.value)
    assert "/" not in str(told.value.what.values["name"])


def test_a_document_passes_where_documents_are_taken() -> None:
    assert cleaned(Upload("a.pdf", b"%PDF-1.7 x"), documents=True).media_type == "application/pdf"
