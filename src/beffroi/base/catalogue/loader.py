"""Reads `usecases/<workshop>/<id>-<slug>.toml`; a file that does not validate is left out, with reasons."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from beffroi.base.catalogue.definition import BrokenUseCase, Catalogue, Theme, UseCase
from beffroi.base.catalogue.validation import validated
from beffroi.base.kernel.sentences import Sentence, gettext_noop

THEMES_FILE = "themes.toml"
MAX_FILE_BYTES = 200_000

_NAME = re.compile(r"(?P<id>(?:G|T|[1-9]|1[0-2])-\d{2})-(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)\.toml")
_AT = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")

# What tomllib says in English, in the order it is looked up; the first that starts the message wins.
_TOML_SENTENCES: tuple[tuple[str, str], ...] = (
    ("Expected '=' after a key", gettext_noop("il manque le signe = après une clé")),
    ("Invalid value", gettext_noop("valeur illisible : un texte se met entre guillemets")),
    ("Unterminated string", gettext_noop("guillemet fermant absent")),
    ("Expected newline or end of document", gettext_noop("il y a quelque chose de trop en fin de ligne")),
    ("Cannot overwrite a value", gettext_noop("cette clé est déjà donnée plus haut")),
    ("Cannot declare", gettext_noop("cette table est déjà donnée plus haut")),
    ("Unclosed array", gettext_noop("crochet fermant absent")),
    ("Expected ']'", gettext_noop("crochet fermant absent")),
    ("Illegal character", gettext_noop("caractère interdit (saut de ligne dans un texte, ou caractère invisible)")),
    ("Invalid statement", gettext_noop("cette ligne n’est ni une clé, ni une table, ni un commentaire")),
    ("Unescaped '\\'", gettext_noop("une barre oblique inverse se double dans un texte : \\\\")),
)


def load_catalogue(folders: Iterable[tuple[Path, bool]]) -> Catalogue:
    """Read the use cases of every folder, given with True when it is the town's own.

    Within a folder an id appears once; a file of the town takes the place of the shipped one that has its id.
    Never raises for what a file holds: see `Catalogue.problems`.
    """
    problems: list[BrokenUseCase] = []
    themes: dict[str, Theme] = {}
    found: dict[str, UseCase] = {}
    digest = hashlib.sha256()
    for folder, local in folders:
        themes.update(_themes(folder, problems))
        here: dict[str, str] = {}
        for path in sorted_files(folder):
            use_case = _read(path, folder, local=local, themes=themes, here=here, problems=problems, digest=digest)
            if use_case is not None:
                found[use_case.id] = use_case
    ordered = dict(sorted(found.items(), key=lambda item: (item[1].workshop, item[0])))
    return Catalogue(ordered, themes, tuple(problems), digest.hexdigest()[:16])


def sorted_files(folder: Path) -> Iterator[Path]:
    """Yield every TOML file of the workshops of `folder`, in order of name; hidden files are not looked at."""
    if not folder.is_dir():
        return
    for workshop in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not workshop.is_dir() or workshop.name.startswith("."):
            continue
        for entry in sorted(os.scandir(workshop.path), key=lambda entry: entry.name):
            if entry.name.endswith(".toml") and not entry.name.startswith("."):
                yield Path(entry.path)


def stamp(folders: Iterable[tuple[Path, bool]]) -> int:
    """Return a number that changes when a file is added, removed or rewritten (size and time of change)."""
    seen = []
    for folder, _ in folders:
        for path in (*sorted_files(folder), folder / THEMES_FILE):
            try:
                status = path.stat()
            except OSError:
                continue
            seen.append((str(path), status.st_mtime_ns, status.st_size))
    return hash(tuple(seen))


def _read(
    path: Path,
    folder: Path,
    *,
    local: bool,
    themes: dict[str, Theme],
    here: dict[str, str],
    problems: list[BrokenUseCase],
    digest: Any,
) -> UseCase | None:
    """Return the use case of one file, or None after saying why in `problems`."""
    where = f"{folder.name}/{path.parent.name}/{path.name}"
    name = _NAME.fullmatch(path.name)
    if name is None:
        problems.append(
            BrokenUseCase(
                "nom de fichier non reconnu",
                where=where,
                remedy="un usage se nomme <identifiant>-<nom-court>.toml, en minuscules sans accents, "
                "par exemple 1-01-signaler-une-anomalie.toml",
            )
        )
        return None
    table_or_problem = _parsed(path, where, digest)
    if isinstance(table_or_problem, BrokenUseCase):
        problems.append(table_or_problem)
        return None
    text, table = table_or_problem
    twin = here.setdefault(name["id"], path.name)
    if twin != path.name:
        problems.append(
            BrokenUseCase(
                "l’identifiant {id} est déjà celui de « {twin} »",
                where=where,
                remedy="donnez un autre identifiant à l’un des deux fichiers",
                id=name["id"],
                twin=twin,
            )
        )
        return None
    outcome = validated(
        table,
        text=text,
        where=where,
        id=name["id"],
        slug=name["slug"],
        folder=path.parent.name,
        themes=themes,
        local=local,
    )
    if isinstance(outcome, UseCase):
        return outcome
    problems.extend(outcome)
    return None


def _parsed(path: Path, where: str, digest: Any) -> tuple[str, dict[str, Any]] | BrokenUseCase:
    try:
        with path.open("rb") as handle:
            content = handle.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            return BrokenUseCase(
                "fichier de plus de {limit} octets",
                where=where,
                remedy="un usage tient en une page",
                limit=MAX_FILE_BYTES,
            )
        digest.update(content)
        text = content.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        return BrokenUseCase(
            "fichier illisible ({reason})", where=where, remedy="vérifiez ses droits de lecture", reason=error.strerror
        )
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return BrokenUseCase(
            "texte qui n’est pas en UTF-8", where=f"{where}:{line}", remedy="enregistrez le fichier en UTF-8"
        )
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return _syntax_problem(str(error), text, where)


def _syntax_problem(message: str, text: str, where: str) -> BrokenUseCase:
    at = _AT.search(message)
    line = int(at["line"]) if at and at["line"] else text.count("\n") + 1
    reason = next((french for start, french in _TOML_SENTENCES if message.startswith(start)), message)
    lines = text.splitlines()
    excerpt = lines[line - 1].strip()[:60] if line <= len(lines) else ""
    return BrokenUseCase(
        "syntaxe TOML : {reason} (« {excerpt} »)",
        where=f"{where}:{line}",
        remedy="corrigez cette ligne ou celle du dessus",
        reason=Sentence(reason),
        excerpt=excerpt,
    )


def _themes(folder: Path, problems: list[BrokenUseCase]) -> dict[str, Theme]:
    path = folder / THEMES_FILE
    if not path.is_file():
        return {}
    where = f"{folder.name}/{THEMES_FILE}"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return {
            slug: Theme(slug, str(entry["title"]), int(entry["workshop"]), str(entry.get("description", "")))
            for slug, entry in table.items()
        }
    except tomllib.TOMLDecodeError as error:
        problems.append(_syntax_problem(str(error), path.read_text("utf-8"), where))
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError):
        problems.append(
            BrokenUseCase(
                "vocabulaire des thèmes illisible",
                where=where,
                remedy="chaque thème est une table [nom-court] avec title (texte) et workshop (nombre)",
            )
        )
    return {}
