"""Which characters the bytes of a text file stand for, and on what evidence."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence
from beffroi.lake.reading import Evidence, Unreadable

_CHUNK = 1 << 20
_KEPT = 1 << 16
"""Memory of this size stays with the process: larger, it is asked for anew at each part, a third of the time."""
_HEAD = 1 << 16
_EXAMPLE = 1 << 14

_BOMS: tuple[tuple[bytes, str, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 petit-boutiste"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 gros-boutiste"),
)
_EIGHT_BITS = ("cp1252", "mac_roman", "cp850")
# Letters French text really uses, and signs that stand between words; all else beyond ASCII speaks against a guess.
_LETTERS = "éèêëàâäîïôöùûüçœæÿñ"
_CAPITALS = "ÉÈÊËÀÂÄÎÏÔÖÙÛÜÇŒÆÑ"
_SIGNS = "«»’‘“”–—…°²³€№º§·½\xa0\u202f"
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bfŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]|â€[™œ\u009d¦“”˜\x9d]")


@dataclass(frozen=True, slots=True)
class EncodingFound:
    """The Python codec to decode with, how to treat what it cannot decode, and why it was chosen.

    `mend` names how text mangled by an earlier conversion is put right line by line (see `mended`), if at all;
    `valid` says that the file is valid UTF-8 as it stands.
    """

    codec: str
    evidence: Evidence
    errors: str = "strict"
    mend: str = ""
    valid: bool = False


def _mixed_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error("beffroi-cp1252", _mixed_as_cp1252)


def find_encoding(path: Path, *, declared: str | None = None) -> EncodingFound:
    """Find the encoding of the text file `path`, reading all of it once: a byte at the very end can tell.

    Raises:
        Unreadable: the file is binary, or the encoding declared is unknown.
    """
    if declared:
        return _declared(declared, path)
    with path.open("rb") as handle:
        head = handle.read(_HEAD)
    for bom, codec, name in _BOMS:
        if head.startswith(bom):
            why = Sentence("le fichier commence par la marque d’ordre des octets de {name}", {"name": name})
            mend = _mend_of(head.decode("utf-8", "ignore")) if codec == "utf-8-sig" else ""
            return EncodingFound(codec, Evidence("encoding", codec, why), _errors_of(codec), mend)
    wide = _wide(head)
    if wide is not None:
        return wide
    if _looks_binary(head):
        raise Unreadable(
            "ce fichier n’est pas du texte : il contient des octets de contrôle",
            where=path.name,
            remedy="publiez la donnée en CSV (UTF-8) ou dans un classeur XLSX ou ODS",
        )
    return _narrow(path, head)


def _errors_of(codec: str) -> str:
    return "beffroi-cp1252" if codec.startswith("utf-8") else "replace"


def _declared(declared: str, path: Path) -> EncodingFound:
    try:
        codec = codecs.lookup(declared).name
    except LookupError:
        raise Unreadable(
            "encodage « {name} » inconnu",
            where=path.name,
            remedy="donnez par exemple utf-8, cp1252 ou utf-16",
            name=declared,
        ) from None
    why = Sentence("encodage imposé par la fiche du jeu de données")
    return EncodingFound(codec, Evidence("encoding", codec, why), _errors_of(codec))


def _wide(head: bytes) -> EncodingFound | None:
    """Tell UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4:
        return None
    shares = (even.count(0) / len(even), odd.count(0) / len(odd))
    for codec, zero, other in (("utf-16-le", shares[1], shares[0]), ("utf-16-be", shares[0], shares[1])):
        if zero > 0.7 and other < 0.1:
            why = Sentence("un octet sur deux est nul, comme en {name} sans marque d’ordre", {"name": codec})
            return EncodingFound(codec, Evidence("encoding", codec, why), "replace")
    return None


_CONTROLS = bytes(byte for byte in range(32) if byte not in (9, 10, 12, 13, 26, 27))


def _looks_binary(head: bytes) -> bool:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls > max(8, len(head) // 100)


def _narrow(path: Path, head: bytes) -> EncodingFound:
    plain = _plain_utf8(path)
    valid, invalid, ascii_only, example = (0, 0, plain == "ascii", b"") if plain else _utf8_census(path)
    if ascii_only:
        why = Sentence("le fichier n’emploie que des caractères ASCII, communs à tous les encodages")
        return EncodingFound("utf-8", Evidence("encoding", "utf-8", why), "beffroi-cp1252", valid=True)
    if invalid == 0:
        double = _mend_of(head.decode("utf-8", "ignore"))
        if double:
            why = Sentence(
                "UTF-8 valide, mais encodé deux fois par endroits (« Ã© » pour « é ») : réparé ligne à ligne"
            )
        else:
            why = Sentence("toutes les suites d’octets sont de l’UTF-8 valide")
        return EncodingFound("utf-8", Evidence("encoding", "utf-8", why), "beffroi-cp1252", double, valid=True)
    if valid > 10 * invalid:
        why = Sentence(
            "UTF-8 à {invalid} suite(s) d’octets près, sur {total} : celles-là sont lues en Windows-1252",
            {"invalid": invalid, "total": valid + invalid},
        )
        return EncodingFound("utf-8", Evidence("encoding", "utf-8+cp1252", why), "beffroi-cp1252")
    return _eight_bits(example)


def _plain_utf8(path: Path) -> str:
    """Tell whether all is ``ascii``, or at least ``utf-8`` without a fault; empty when it is to be counted.

    Decoding is a sixth of counting.
    """
    found = "ascii"
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for chunk in _chunks(path, _KEPT):
            if chunk.isascii() and not decoder.getstate()[0]:
                continue
            found = "utf-8"
            # The sign for what could not be read, by whoever wrote the file.
            if "\ufffd" in decoder.decode(chunk):
                return ""
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return ""
    return found


def _utf8_census(path: Path) -> tuple[int, int, bool, bytes]:
    """Count valid and invalid multi-byte sequences, tell whether all is ASCII, and gather up to 16 KiB that is not."""
    valid = invalid = 0
    example = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in _chunks(path):
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(chunk)
        wrong = text.count("\ufffd")
        invalid += wrong
        valid += len(text) - len(text.encode("ascii", "ignore")) - wrong
        if len(example) < _EXAMPLE:
            example += b"\n".join(line for line in chunk.split(b"\n") if not line.isascii())[:_EXAMPLE]
    invalid += len(decoder.decode(b"", final=True))
    return valid, invalid, valid == 0 and invalid == 0, bytes(example)


def _chunks(path: Path, size: int = _CHUNK) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while chunk := handle.read(size):
            yield chunk


def _eight_bits(example: bytes) -> EncodingFound:
    """Choose the eight-bit code page under which the accented words look French."""
    scores = {codec: _frenchness(example.decode(codec, "replace")) for codec in _EIGHT_BITS}
    # Windows wins ties: nine French files in ten.
    best = max(_EIGHT_BITS, key=lambda codec: (scores[codec], codec == "cp1252"))
    windows = example.decode("cp1252", "replace")
    if _frenchness(_from_dos(windows)) > max(scores[best], 0):
        word = _example_word(_from_dos(windows))
        why = Sentence("texte Windows converti à tort comme du DOS : réparé (exemple : « {word} »)", {"word": word})
        return EncodingFound("cp1252", Evidence("encoding", "cp1252", why), "replace", "dos")
    names = {"cp1252": "Windows-1252", "mac_roman": "Mac OS Roman", "cp850": "DOS (page 850)"}
    why = Sentence(
        "ce n’est pas de l’UTF-8, et c’est en {name} que les mots accentués se lisent (exemple : « {word} »)",
        {"name": names[best], "word": _example_word(example.decode(best, "replace"))},
    )
    return EncodingFound(best, Evidence("encoding", best, why), "replace")


def _frenchness(text: str) -> int:
    score = 0
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if char < "\x80":
            continue
        if char in _LETTERS:
            score += 3 if before.isalpha() or after.isalpha() or before in " '’-" else 0
        elif char in _CAPITALS:
            score += -2 if before.islower() else 2
        elif char in _SIGNS:
            score += 1 if not (before.isalpha() and after.isalpha()) or char in "’‘" else -2
        else:
            score -= 3
    return score


def _example_word(text: str) -> str:
    words = re.findall(r"[^\W\d_]{3,20}", text)
    return next((word for word in words if not word.isascii()), "")


def _mend_of(text: str) -> str:
    return "utf-8" if len(_MOJIBAKE.findall(text)) >= 2 else ""


def _from_dos(text: str) -> str:
    """Undo one Windows-1252 read as DOS 850, whose accented letters were then written again as Windows-1252."""
    return text.translate(_FROM_DOS)


_FROM_DOS = {
    ord(wrong): right
    for right in _LETTERS + _CAPITALS + "°«»²³§·"
    if (wrong := right.encode("cp1252").decode("cp850")) != right
}


def mended(line: str, mend: str = "utf-8") -> str:
    """Undo in `line` an earlier wrong conversion (UTF-8 read as Windows-1252, or Windows read as DOS).

    What cannot be undone without loss is returned unchanged.

    >>> mended("Ã‰cole Jules FerrÃ©"), mended("CitÚ de l'Arnel", "dos")
    ('École Jules Ferré', "Cité de l'Arnel")
    """
    if mend == "dos":
        return _from_dos(line)
    if not _MOJIBAKE.search(line):
        return line
    try:
        return line.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return _MOJIBAKE_RUN.sub(_mended_run, line)


_MOJIBAKE_RUN = re.compile("[\u0080-\u00ffŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]{2,}")


def _mended_run(match: re.Match[str]) -> str:
    try:
        return match[0].encode("cp1252").decode("utf-8")
    except UnicodeError:
        return match[0]


LONGEST_LINE = 1 << 24
"""Characters of one line beyond which a file is refused: it would not be a table."""


def decoded_lines(path: Path, found: EncodingFound) -> Iterator[str]:
    """Yield the physical lines of `path`, without their end of line (LF, CRLF or, alone in the file, CR).

    Raises:
        Unreadable: a line is longer than `LONGEST_LINE`.
    """
    with path.open("r", encoding=found.codec, errors=found.errors, newline=_newline(path, found)) as handle:
        number = 0
        while line := handle.readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE:
                raise Unreadable(
                    "ligne de plus de {limit} caractères : ce fichier n’est pas un tableau",
                    where=f"{path.name}:{number}",
                    remedy="vérifiez les fins de ligne, puis publiez à nouveau en CSV",
                    limit=LONGEST_LINE,
                )
            text = line.rstrip("\r\n")
            if "\x00" in text:
                text = text.replace("\x00", "")
            yield mended(text, found.mend) if found.mend else text


def _newline(path: Path, found: EncodingFound) -> str:
    with path.open("r", encoding=found.codec, errors=found.errors, newline="") as handle:
        head = handle.read(_HEAD)
    return "\n" if "\n" in head or "\r" not in head else "\r"
