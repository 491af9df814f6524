"""Texts sealed before they are kept: read by nobody who holds the registry alone.

The keys stand in a file beside the registry, never in it: one a line, the first seals, all of them open. A model says
which of its fields are sealed (``Purpose.sealed``); `turn_keys` draws a new key and seals them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models, transaction

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import written_once, written_whole
from beffroi.base.privacy.registry import Declaration, declarations

BATCH = 200


class KeyLost(BeffroiError):
    """What was sealed cannot be opened with the keys of this server."""

    http_status = 409


def seal(text: str) -> str:
    """Return a text sealed by the key of the day, drawn at the first need; an empty text stays empty.

    Raises:
        KeyLost: the file of keys cannot be read.
    """
    if not text:
        return ""
    if not _path().exists():
        _draw()
    return _opener().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text that was sealed.

    Raises:
        KeyLost: the file of keys is gone, cannot be read, or never held the key of this text.
    """
    if not sealed:
        return ""
    try:
        return _opener().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise KeyLost(
            "la clé qui ouvre ce texte n’est pas sur ce serveur", where=_path().name,
            remedy="remettez le fichier de clés d’une sauvegarde ; sans lui, ce texte est perdu",
        ) from error  # fmt: skip


def turn_keys() -> int:
    """Draw a new key, seal everything again with it, let the old ones go; return how many texts were sealed again.

    Every old key stays in the file until the last text is sealed again: a run that is cut is run again. The one before
    stays until the next turn: a process that had just read the file may have sealed with it meanwhile.

    Raises:
        KeyLost: a text opens with no key; nothing is let go.
    """
    if _path().exists():
        _opener()
    _draw()
    count = sum(_sealed_again(one) for one in declarations() if one.purpose.sealed)
    _write(_lines()[:2])
    return count


def unreadable() -> int:
    """Return how many sealed texts open with no key of this server."""
    count = 0
    for one in declarations():
        for name in one.purpose.sealed:
            rows = one.model._default_manager.exclude(**{name: ""}).order_by("pk")
            count += sum(not _opens(text) for text in rows.values_list(name, flat=True).iterator())
    return count


def _opens(sealed: str) -> bool:
    try:
        unseal(sealed)
    except KeyLost:
        return False
    return True


def _sealed_again(declaration: Declaration) -> int:
    rows = declaration.model._default_manager.order_by("pk")
    count, last = 0, None
    while keys := list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            for row in rows.select_for_update().filter(pk__in=keys):
                count += _row_sealed_again(row, declaration.purpose.sealed)
        last = keys[-1]
    return count


def _row_sealed_again(row: models.Model, names: Iterable[str]) -> int:
    held = [name for name in names if getattr(row, name)]
    for name in held:
        setattr(row, name, seal(unseal(getattr(row, name))))
    if held:
        row.save(update_fields=held)
    return len(held)


# --- The file of keys -----------------------------------------------------------------------------------------------


def _path() -> Path:
    return Path(settings.NOTES_KEY)


def _lines() -> list[str]:
    try:
        return [line.strip() for line in _path().read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        return []


def _opener() -> MultiFernet:
    try:
        return MultiFernet([Fernet(line) for line in _lines()])
    except ValueError as error:
        # No line at all, or one that is no key.
        raise KeyLost(
            "le fichier des clés de ce serveur manque ou ne se lit plus", where=_path().name,
            remedy="remettez-le depuis une sauvegarde ; sans lui, ce qui fut chiffré est perdu",
        ) from error  # fmt: skip


def _draw() -> None:
    """Put a new key before the others."""
    known, drawn = _lines(), Fernet.generate_key().decode()
    if known or _path().exists():
        _write([drawn, *known])
        return
    written_once(_path(), f"{drawn}\n".encode())


def _write(keys: list[str]) -> None:
    # `written_whole` writes aside, private (0600), then renames: no reader meets half a file.
    with written_whole(_path()) as handle:
        handle.write(("\n".join(keys) + "\n").encode())
