"""In which characters a dBase table is written, whatever it says."""

from __future__ import annotations

import struct
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.reading import Evidence

_LOOKED_AT = 8 << 20
_ASCII = bytes(range(128))
# Bytes of é è à ê ç ô î â û ë ï É È À in each of the two code pages of French offices.
_CP1252 = frozenset(b"\xe9\xe8\xe0\xea\xe7\xf4\xee\xe2\xfb\xeb\xef\xc9\xc8\xc0")
_CP850 = frozenset(b"\x82\x8a\x85\x88\x87\x93\x8c\x83\x96\x89\x8b\x90\xd4\xb7")


def dbf_encoding(dbf: Path, cpg: Path | None) -> Evidence | None:
    """Return the encoding of the texts of `dbf` (as GDAL names it), with why; None when all is ASCII.

    The bytes decide: a .cpg or a language byte often says one thing and the program that wrote the file did another.
    """
    with dbf.open("rb") as handle:
        head = handle.read(32)
        if len(head) < 32:
            return None
        handle.seek(struct.unpack("<H", head[8:10])[0])
        data = handle.read(_LOOKED_AT)
    high = data.translate(None, _ASCII)
    if not high:
        return None
    says = _declared(cpg)
    if _is_utf8(data):
        why = Sentence("les octets accentués forment de l’UTF-8")
        if says and "UTF" not in says.upper():
            why = Sentence("le .cpg annonce {says}, mais les octets accentués forment de l’UTF-8", {"says": says})
        return Evidence("encoding", "UTF-8", why)
    latin, dos = (len(high) - len(high.translate(None, bytes(page))) for page in (_CP1252, _CP850))
    value = "CP850" if dos > latin else "CP1252"
    why = Sentence("les octets accentués sont ceux de {value}", {"value": value})
    if says and "UTF" in says.upper():
        why = Sentence(
            "le .cpg annonce {says}, mais les octets accentués sont ceux de {value}", {"says": says, "value": value}
        )
    return Evidence("encoding", value, why)


def _declared(cpg: Path | None) -> str:
    return cpg.read_bytes()[:40].decode("ascii", "ignore").strip() if cpg else ""


def _is_utf8(data: bytes) -> bool:
    """Tell whether nearly all accented bytes form UTF-8: a field cut in the middle of a letter breaks one."""
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    # Every character beyond ASCII takes more than one byte: what is left once ASCII is dropped is good or bad.
    accented = len(text) - len(data) + len(data.translate(None, _ASCII))
    return accented - bad > 9 * bad
