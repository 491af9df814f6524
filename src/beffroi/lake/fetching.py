"""Fetch a source from where it is published: resumably, politely, whole or not at all. Knows no Django.

<folder>/<name>            the file, as it was last fetched whole
        /<name>.part       what came of the next one so far
        /<name>.fetch      its address, and what the server said of it (ETag, Last-Modified)

A file that has not changed costs one question (304). One cut short goes on from where it stopped, if it is still the
same. A server that asks to wait (429, 503) is waited for.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from beffroi import __version__
from beffroi.base.kernel.errors import BeffroiError

AGENT = f"Beffroi/{__version__}"
TIMEOUT_S = 30.0
MOST_BYTES = 20 << 30
MOST_TRIES = 6
LONGEST_WAIT_S = 120.0
CHUNK = 1 << 18
NOT_MODIFIED, PARTIAL, GONE_PAST = 304, 206, 416
BUSY = (429, 502, 503, 504)

Wait = Callable[[float], Any]
"""Waits so many seconds; given, so that a test does not wait."""

Told = Callable[[int, int | None], Any]
"""Called as bytes come: how many are there, of how many (None when the server does not say)."""


class NotFetched(BeffroiError):
    """The source could not be fetched; what was there before stays."""


class NotPublished(NotFetched):
    """There is nothing at the address: the source does not exist for this commune."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The file of a source, and whether it changed since the last time."""

    path: Path
    changed: bool


def fetch(
    url: str,
    target: Path,
    *,
    mirror: Path | None = None,
    wait: Wait,
    told: Told = lambda _done, _total: None,
    most_tries: int = MOST_TRIES,
    opener: urllib.request.OpenerDirector | None = None,
    most_bytes: int = MOST_BYTES,
) -> Fetched:
    """Bring what is at `url` to `target`; from `mirror`, a folder that stands for the web sites, when there is one.

    `opener` is the way out: that of an address one does not trust is guarded (`kernel.outside.opener`).

    Raises:
        NotPublished: nothing there. NotFetched: no whole answer after `most_tries`, or one too large.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if mirror is not None:
        return _copied(_mirrored(mirror, url, target.name), target, url)
    fault: BaseException | None = None
    for rank in range(most_tries):
        try:
            return _asked(url, target, told, opener, most_bytes)
        except _Busy as busy:
            fault, pause = busy, busy.seconds if busy.seconds is not None else 2.0**rank
        except (OSError, http.client.HTTPException) as error:
            fault, pause = error, 2.0**rank
        if rank + 1 < most_tries:
            wait(min(pause, LONGEST_WAIT_S))
    raise NotFetched(
        "pas de réponse entière après {tries} essais ({reason})",
        where=url,
        remedy="relancez plus tard : ce qui est déjà arrivé sera repris",
        tries=most_tries,
        reason=str(fault)[:120] or type(fault).__name__,
    ) from fault


class _Busy(Exception):
    """The server asks to come back; `seconds` when it says in how long."""

    def __init__(self, status: int, seconds: float | None) -> None:
        super().__init__(f"réponse {status}")
        self.seconds = seconds


def _mirrored(mirror: Path, url: str, name: str) -> Path:
    """Return the file of a mirror that stands for an address: `<host>/<path>`, else the name the source takes."""
    parts = urllib.parse.urlsplit(url)
    inside = mirror / parts.hostname if parts.hostname else mirror
    for candidate in (inside / parts.path.lstrip("/"), mirror / name):
        if candidate.is_file() and candidate.resolve().is_relative_to(mirror.resolve()):
            return candidate
    raise NotPublished(
        "rien dans le miroir pour cette adresse",
        where=url,
        remedy="déposez-y {name}, ou le fichier au chemin de l’adresse",
        name=name,
    )


def _copied(source: Path, target: Path, url: str) -> Fetched:
    known, now = _notes(target), _digest(source)
    if target.is_file() and known.get("sha256") == now:
        return Fetched(target, False)
    aside = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, aside)
    aside.replace(target)
    _note(target, {"url": url, "sha256": now})
    return Fetched(target, True)


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _asked(
    url: str, target: Path, told: Told, opener: urllib.request.OpenerDirector | None, most_bytes: int
) -> Fetched:
    known, part = _notes(target), target.with_name(f"{target.name}.part")
    begun = _notes(part)
    same = known.get("url") == url and target.is_file()
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    resumed = part.stat().st_size if part.is_file() and begun.get("url") == url and begun.get("mark") else 0
    if resumed:
        headers |= {"Range": f"bytes={resumed}-", "If-Range": str(begun["mark"])}
    elif same:
        headers |= {"If-None-Match": str(known["etag"])} if known.get("etag") else {}
        headers |= {"If-Modified-Since": str(known["modified"])} if known.get("modified") else {}
    try:
        with _opened(url, headers, opener) as answer:
            _received(answer, url, part, resumed if answer.status == PARTIAL else 0, told, most_bytes)
            said = {
                "url": url,
                "etag": answer.headers.get("ETag") or "",
                "modified": answer.headers.get("Last-Modified") or "",
            }
    except urllib.error.HTTPError as error:
        return _refused(error, url, target, part)
    said["sha256"] = _digest(part)
    changed = not (same and known.get("sha256") == said["sha256"])
    part.replace(target)
    _forget(part)
    _note(target, said)
    return Fetched(target, changed)


def _opened(url: str, headers: dict[str, str], opener: urllib.request.OpenerDirector | None) -> Any:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise NotFetched("adresse « {url} » non prise", where=url, remedy="donnez une adresse https", url=url[:120])
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - checked just above
    return (opener or urllib.request.build_opener()).open(request, timeout=TIMEOUT_S)


def _received(answer: Any, url: str, part: Path, already: int, told: Told, most_bytes: int) -> None:
    """Write what comes after the `already` bytes there are; keep what is needed to go on if it stops."""
    length = answer.headers.get("Content-Length")
    total = already + int(length) if length is not None and length.isdigit() else None
    if total is not None and total > most_bytes:
        raise _too_large(url, most_bytes)
    # A weak mark does not promise the same bytes: one cannot go on from it.
    etag = answer.headers.get("ETag") or ""
    mark = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified") or ""
    _note(part, {"url": url, "mark": mark})
    done = already
    with part.open("ab" if already else "wb") as sink:
        # What came so far: a source that drips is told of at each drop.
        while chunk := answer.read1(CHUNK):
            done += len(chunk)
            if done > most_bytes:
                raise _too_large(url, most_bytes)
            sink.write(chunk)
            told(done, total)
    if total is not None and done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _refused(error: urllib.error.HTTPError, url: str, target: Path, part: Path) -> Fetched:
    error.close()
    if error.code == NOT_MODIFIED:
        return Fetched(target, False)
    if error.code == GONE_PAST:
        # What was begun is no longer what is there: begin again.
        part.unlink(missing_ok=True)
        _forget(part)
        raise _Busy(error.code, 0.0) from error
    if error.code in BUSY:
        raise _Busy(error.code, _seconds(error.headers.get("Retry-After"))) from error
    kind = NotPublished if error.code in (404, 410) else NotFetched
    raise kind(
        "le site répond {status}",
        where=url,
        remedy="vérifiez l’adresse",
        status=error.code,
    ) from error


def _seconds(text: str | None) -> float | None:
    """Return how long `Retry-After` asks to wait: seconds, or a date; None when it says nothing one can read."""
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    with suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    return None


def _too_large(url: str, most_bytes: int) -> NotFetched:
    most = most_bytes >> 20
    return NotFetched("réponse de plus de {most} Mo", where=url, remedy="vérifiez l’adresse", most=most)


def _notes(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        found: dict[str, str] = json.loads(path.with_name(f"{path.name}.fetch").read_text(encoding="utf-8"))
        return found
    return {}


def _note(path: Path, said: dict[str, str]) -> None:
    note = path.with_name(f"{path.name}.fetch")
    aside = note.with_name(f"{note.name}.tmp")
    aside.write_text(json.dumps(said), encoding="utf-8")
    aside.replace(note)


def _forget(path: Path) -> None:
    path.with_name(f"{path.name}.fetch").unlink(missing_ok=True)
