"""The data files of mobility (TOML): read, and refused in the same words by the error of each kind of file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop

One = TypeVar("One")
Fault = TypeVar("Fault", bound=BeffroiError)
_UNREADABLE, _MEND = gettext_noop("TOML illisible ({reason})"), gettext_noop("corrigez-le")
_KEYS, _POSSIBLE = (
    gettext_noop("clés inconnues : {unknown} ; absentes : {missing}"),
    gettext_noop("clés possibles : {keys}"),
)


def read_table(path: Path, *, where: str, refused: type[BeffroiError]) -> dict[str, Any]:
    """Return what a file holds.

    Raises:
        refused: it does not read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refused(_UNREADABLE, where=where, remedy=_MEND, reason=str(error)) from error


def read_each(folder: Path, read: Callable[[Path], One], refused: type[Fault]) -> tuple[list[One], list[Fault]]:
    """Return what the files of a folder say, by name, and why each other one does not read."""
    found: list[One] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found.append(read(path))
        except refused as fault:
            faults.append(fault)
    return found, faults


def require_keys(
    *, unknown: Sequence[str], missing: Sequence[str], known: Sequence[str], where: str, refused: type[BeffroiError]
) -> None:
    """Let a file pass only when it has no key unknown or missing.

    Raises:
        refused: it has; says which, and those it may have.
    """
    if unknown or missing:
        raise refused(
            _KEYS,
            where=where,
            remedy=_POSSIBLE,
            unknown=", ".join(unknown) or "aucune",
            missing=", ".join(missing) or "aucune",
            keys=", ".join(known),
        )
