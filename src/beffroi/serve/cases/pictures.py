"""Files as people send them, made safe: judged by content, pictures drawn anew without their metadata."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from beffroi.serve.cases.definition import BadCase, Upload

MAX_BYTES = 15 * 1024 * 1024
# A telephone of today takes 50 Mpx; what claims more is a bomb or a scan nobody needs.
MAX_PIXELS = 60_000_000
LONGEST_SIDE_PX = 2048
THUMBNAIL_PX = 320
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A file ready to keep: its bytes, type and size in pixels, and its thumbnail (empty for a document)."""

    name: str
    content: bytes
    media_type: str
    width_px: int = 0
    height_px: int = 0
    thumbnail: bytes = b""


def cleaned(upload: Upload, *, documents: bool = False) -> Cleaned:
    """Return the picture of `upload` drawn anew: upright, 2,048 px at most, JPEG, no EXIF, no GPS, no profile.

    Args:
        documents: let PDF files through as they are.

    Raises:
        BadCase: too big, empty, of a type that is not taken, or broken.
    """
    name, content = _plain_name(upload.name), upload.content
    if not content or len(content) > MAX_BYTES:
        raise BadCase(
            "le fichier « {name} » pèse {size} Mo : il en faut plus de zéro et {most} au plus",
            where="photo",
            remedy="envoyez une photo moins lourde",
            name=name,
            size=f"{len(content) / 1e6:.1f}",
            most=MAX_BYTES // 1024 // 1024,
        )
    if documents and content.startswith(b"%PDF-"):
        return Cleaned(name, content, "application/pdf")
    try:
        with warnings.catch_warnings():
            # A picture just over Pillow's own limit only warns.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _redrawn(name, content)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _unreadable(name) from error
    except (OSError, SyntaxError, ValueError, MemoryError, EOFError, IndexError, TypeError, KeyError) as error:
        # What Pillow's decoders raise on a file cut or forged.
        raise _unreadable(name) from error


def _redrawn(name: str, content: bytes) -> Cleaned:
    with Image.open(io.BytesIO(content), formats=FORMATS) as source:
        if source.width * source.height > MAX_PIXELS or min(source.size) < 1:
            raise _unreadable(name)
        # Decoding a JPEG straight at a half, a quarter… spares time and memory.
        source.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        picture = ImageOps.exif_transpose(source)
        picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        if picture.mode != "RGB":
            # Transparent parts become white, as a page shows them.
            layered = picture.convert("RGBA")
            picture = Image.new("RGB", layered.size, "white")
            picture.paste(layered, mask=layered.getchannel("A"))
    small = picture.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    return Cleaned(name, _jpeg(picture), "image/jpeg", picture.width, picture.height, _jpeg(small))


def _jpeg(picture: Image.Image) -> bytes:
    # Pixels alone go into a new image: whatever the decoder hung on the old one stays behind.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()


def _plain_name(name: str) -> str:
    last = re.split(r"[\\/]", name)[-1]
    return re.sub(r"[^\w .()'-]", "_", last, flags=re.UNICODE).strip(" .")[-120:] or "photo"


def _unreadable(name: str) -> BadCase:
    return BadCase(
        "le fichier « {name} » n’est pas une photo lisible",
        where="photo",
        remedy="envoyez une photo JPEG, PNG ou WebP de 60 millions de points au plus",
        name=name,
    )
