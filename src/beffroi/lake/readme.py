"""What the notice left beside a source (README.txt…) says of it: title, licence, producer, rhythm, columns."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from beffroi.base.kernel.sentences import Sentence

_MOST_BYTES = 256 * 1024
_NAMES = re.compile(r"^(read[ _-]?me|lisez[ _-]?moi|notice|metadonnees?|metadata)\b.*\.(txt|md)$", re.IGNORECASE)
# A field is a starred line « * TITRE : … », or an unstarred one whose name is known; it goes on until the next.
_FIELD = re.compile(r"^[ \t]*(?P<star>[*•-]?)[ \t]*(?P<name>[^\W\d_][^:\n*]{1,38}?)[ \t]*:[ \t]*(?P<value>.*)$")
_RULE = re.compile(r"^\s*[-=_*.]{1,}\s*$")

# Every spelling met, unaccented and in capitals (the typing mistakes are the publishers').
_FIELDS: dict[str, str] = {
    "TITRE": "title",
    "NOM": "title",
    "TITLE": "title",
    "IDENTIFIANT": "identifier",
    "DESCRIPTION": "description",
    "CATEGORIE": "category",
    "THEME": "category",
    "LICENCE": "licence",
    "LICENSE": "licence",
    "MOTS CLES": "keywords",
    "MOTS-CLES": "keywords",
    "DATE PUBLICATION": "published",
    "DATE DE PUBLICATION": "published",
    "MISE A JOUR": "updated",
    "DATE DE MISE A JOUR": "updated",
    "DERNIERE MISE A JOUR": "updated",
    "PERIODE VALIDITEE": "rhythm",
    "PERIODE DE VALIDITE": "rhythm",
    "PERIODE VALIDITE": "rhythm",
    "FREQUENCE": "rhythm",
    "FREQUENCE DE MISE A JOUR": "rhythm",
    "PRORIETAIRE": "producer",
    "PROPRIETAIRE": "producer",
    "PRODUCTEUR": "producer",
    "DIFFUSEUR": "publisher",
    "URL": "url",
    "COUVERTUTE GEOGRAPHIQUE": "coverage",
    "COUVERTURE GEOGRAPHIQUE": "coverage",
    "SYSTEME DE PROJECTION": "projection",
}
# Fields that end the one before them, and say nothing the lake keeps.
_IGNORED = {"ID", "THEME INSPIRE", "LANGUE", "TARIFICATION", "INFORMATION COMPLEMENTAIRE", "SITE", "CONTACT", "NOTE"}
# Words that stand before a colon inside a description without naming a column.
_NOT_COLUMNS = {"attention", "note", "nota", "important", "remarque", "http", "https", "source", "exemple"}
_COLUMN = re.compile(r"^[ \t]*[-•*]?[ \t]*(?P<name>[A-Za-z][A-Za-z0-9_]{1,30})[ \t]*[:=][ \t]*(?P<text>\S.{1,300})$")


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence by its usual name; `why` says how it was told from what is written."""

    name: str
    why: Sentence


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says. Dates are ISO; empty text where it says nothing. `columns` are descriptions by title."""

    path: Path
    title: str = ""
    identifier: str = ""
    description: str = ""
    category: str = ""
    licence: str = ""
    keywords: tuple[str, ...] = ()
    published: str = ""
    updated: str = ""
    rhythm: str = ""
    producer: str = ""
    publisher: str = ""
    url: str = ""
    coverage: str = ""
    projection: str = ""
    columns: dict[str, str] = field(default_factory=dict)


_LINES = ("title", "identifier", "category", "licence", "producer", "publisher", "url", "coverage", "projection")

# In the order they are tried: the words that tell a licence, its usual name.
_LICENCES: tuple[tuple[str, str], ...] = (
    (r"odbl|open database licen[cs]e", "ODbL 1.0"),
    (r"licence ouverte.{0,40}(2\.0|version 2)|etalab-?2|lo-?ov?2", "Licence Ouverte 2.0"),
    (r"(?=.*2017)licence-ouverte-open-licence|licence ouverte|open licen[cs]e|etalab", "Licence Ouverte 1.0"),
    (r"cc[ -]?by[ -]?nc", "CC BY-NC"),
    (r"cc[ -]?by[ -]?sa|creativecommons\.org/licenses/by-sa", "CC BY-SA"),
    (r"cc[ -]?by\b|creativecommons\.org/licenses/by/", "CC BY"),
    (r"cc[ -]?0|publicdomain/zero", "CC0 1.0"),
    (r"\bapie\b", "Licence APIE (information publique)"),
)
_VERSION = re.compile(r"(?:by-sa|by)/(\d\.\d)|\b(\d\.\d)\b")


def licence_of(text: str) -> Licence:
    """Return the licence a notice names, by its usual name; what is not recognised is kept as written and said.

    >>> licence_of("LICENCE OUVERTE / OPEN LICENCE http://www.etalab.gouv.fr/pages/licence-ouverte").name
    'Licence Ouverte 1.0'
    >>> licence_of("ODbL http://opendatacommons.org/licenses/odbl/").name
    'ODbL 1.0'
    """
    written = " ".join(text.split())
    if not written:
        return Licence("", Sentence("aucune licence indiquée par la source"))
    lowered = written.lower()
    for pattern, name in _LICENCES:
        if re.search(pattern, lowered):
            version = _VERSION.search(lowered)
            if version and name.startswith("CC BY"):
                name = f"{name} {version[1] or version[2]}"
            return Licence(name, Sentence("la notice indique « {text} »", {"text": written[:120]}))
    why = Sentence("licence « {text} » inconnue, reprise telle quelle", {"text": written[:120]})
    return Licence(written[:120], why)


def is_notice(path: Path) -> bool:
    """Tell whether a file is a notice, by its name."""
    return bool(_NAMES.match(path.name))


def notice_in(folder: Path) -> Notice | None:
    """Return what the notice of `folder` says, None without one."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and is_notice(path))
    return read_notice(found[0]) if found else None


def read_notice(path: Path) -> Notice:
    """Read a notice; what is not understood is left out."""
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in _text(path).splitlines():
        name, value = _field_of(line)
        if name is not None:
            current = fields.setdefault(name, []) if name else None
            if current is not None and not current:
                current.append(value)
        elif current is not None and not _RULE.match(line):
            current.append(line.strip())
        elif _RULE.match(line) and len(line.strip()) > 20:
            current = None
    return _notice(path, {name: _joined(lines) for name, lines in fields.items()}, fields.get("description", []))


def _notice(path: Path, said: dict[str, str], description: list[str]) -> Notice:
    keywords = tuple(word.strip() for word in re.split(r"[;,]", said.get("keywords", "")) if word.strip())
    plain = {name: said.get(name, "").replace("\n", " ") for name in _LINES}
    return Notice(
        path,
        **plain,
        description=said.get("description", ""),
        keywords=keywords,
        published=_iso(said.get("published", "")),
        updated=_iso(said.get("updated", "")),
        rhythm=said.get("rhythm", "").lower(),
        columns=_columns(description),
    )


def _text(path: Path) -> str:
    data = path.read_bytes()[:_MOST_BYTES]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252", "replace")
    return html.unescape(unicodedata.normalize("NFC", text)).replace("\xa0", " ")


def _field_of(line: str) -> tuple[str | None, str]:
    """Return the field a line opens (empty when it is one to leave out) and its value; None when it opens none."""
    match = _FIELD.match(line)
    if not match:
        return None, ""
    name = " ".join(unicodedata.normalize("NFKD", match["name"]).encode("ascii", "ignore").decode().upper().split())
    if name in _FIELDS and (match["star"] or name not in {"NOM", "THEME", "URL"}):
        return _FIELDS[name], match["value"].strip()
    if name in _IGNORED and (match["star"] or name in {"SITE", "CONTACT"}):
        return "", ""
    return None, ""


def _joined(lines: list[str]) -> str:
    text = "\n".join(lines).strip()
    return re.sub(r"\n{3,}", "\n\n", text)


def _columns(description: list[str]) -> dict[str, str]:
    columns = {}
    for line in description[1:]:
        match = _COLUMN.match(line)
        if match and match["name"].lower() not in _NOT_COLUMNS:
            columns[match["name"]] = match["text"].strip()
    return columns


def _iso(text: str) -> str:
    """Return a date as ISO; empty when it is none.

    >>> _iso("06/04/2011"), _iso("2013-06-26"), _iso("bientôt")
    ('2011-04-06', '2013-06-26', '')
    """
    found = re.search(r"(\d{4})-(\d{2})-(\d{2})", text)
    parts = found.groups() if found else None
    if parts is None and (found := re.search(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)):
        parts = found.groups()[::-1]
    try:
        return date(*(int(part) for part in parts)).isoformat() if parts else ""
    except ValueError:
        return ""
