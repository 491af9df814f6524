"""The documents that the rows of a dataset refer to: a copy of each, and its text. Only PDF files, only public rows.

<BEFFROI_DATA_DIR>/papers/<territory>/<dataset>/<mark of the address>.pdf   the document, as it was signed
                                               /….txt                       its text, read once
                                               /asked.json                  what could not be had, when, how often

An act that was published does not change: what is kept is not asked for again. What could not be had is asked for
again after one day, two, four… and never more than once a month.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import OpenerDirector

from django.conf import settings

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.files import written_whole
from beffroi.base.kernel.outside import opener
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake.fetching import fetch
from beffroi.lake.rowsets import rows
from beffroi.lake.store import DatasetRef

MOST_BYTES = 30 << 20
MOST_PAGES = 400
MOST_LETTERS = 400_000
MOST_ROWS = 500_000
MOST_AT_ONCE = 400
"""Documents asked of a site in one night: the rest waits for the next."""

BETWEEN_S = 1.0
"""Left to a site between two questions."""

LONGEST_PAUSE = timedelta(days=30)
_HEAD = b"%PDF-"

Wait = Callable[[float], Any]


class NotAPaper(BeffroiError):
    """What is at an address is not a document that can be kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run did: documents kept now, those that could not be, and those left for another night."""

    kept: int = 0
    failed: int = 0
    waiting: int = 0


def root() -> Path:
    """Return the folder of all papers, beside the lake."""
    return Path(settings.LAKE_DIR).parent / "papers"


def paper_path(ref: DatasetRef, url: str) -> Path | None:
    """Return where the copy of a document is, None when there is none."""
    path = _folder(ref) / f"{_mark(url)}.pdf"
    return path if path.is_file() else None


def papers_mark(ref: DatasetRef) -> str:
    """Return a mark that moves when a document is kept; one `stat` call."""
    try:
        return str(_folder(ref).stat().st_mtime_ns)
    except FileNotFoundError:
        return ""


def texts_of(ref: DatasetRef, urls: Iterable[str]) -> dict[str, str]:
    """Return the text of the documents kept, by address."""
    folder, found = _folder(ref), {}
    if not folder.is_dir():
        return {}
    for url in urls:
        with suppress(FileNotFoundError):
            found[url] = (folder / f"{_mark(url)}.txt").read_text(encoding="utf-8")
    return found


def keep_deposited(ref: DatasetRef, column: str, folder: Path) -> Kept:
    """Keep the documents of a folder that rows refer to by the last part of their address.

    Raises:
        DatasetNotFound: the dataset is absent, or not public.
    """
    kept = 0
    for url in _addresses(ref, column):
        source = folder / _name(url)
        if source != folder and source.is_file() and paper_path(ref, url) is None:
            with suppress(NotAPaper):
                _keep(ref, url, source)
                kept += 1
    return Kept(kept)


def fetch_papers(
    ref: DatasetRef,
    column: str,
    *,
    at: datetime,
    wait: Wait = time.sleep,
    mirror: Path | None = None,
    way: OpenerDirector | None = None,
    most: int = MOST_AT_ONCE,
) -> Kept:
    """Bring the documents that public rows refer to by the address in `column`, a few each night, politely.

    Raises:
        DatasetNotFound: the dataset is absent, or not public.
    """
    folder = _folder(ref)
    asked = _asked_before(folder)
    missing = [url for url in _addresses(ref, column) if paper_path(ref, url) is None]
    due = [url for url in missing if _is_due(asked.get(_mark(url)), at)]
    kept = failed = 0
    for rank, url in enumerate(due[:most]):
        if rank and mirror is None:
            wait(BETWEEN_S)
        home = folder / f".{_mark(url)}"
        aside = home / (_name(url)[:100] or "document.pdf")
        try:
            fetch(url, aside, mirror=mirror, wait=wait, most_tries=2, opener=way or opener(), most_bytes=MOST_BYTES)
            _keep(ref, url, aside)
        except BeffroiError as error:
            failed += 1
            tries = int(asked.get(_mark(url), {}).get("tries", 0)) + 1
            asked[_mark(url)] = {"url": url[:500], "tries": tries, "at": at.isoformat(), "why": str(error)[:300]}
        else:
            kept += 1
            asked.pop(_mark(url), None)
        finally:
            shutil.rmtree(home, ignore_errors=True)
    if due:
        with written_whole(folder / "asked.json", "w", encoding="utf-8") as handle:
            json.dump(asked, handle, ensure_ascii=False)
    return Kept(kept, failed, max(0, len(due) - most))


def text_of(path: Path) -> str:
    """Return the text of a PDF document, page after page; empty when it is a picture, or cannot be read.

    Raises:
        NotAPaper: it is not a PDF.
    """
    with path.open("rb") as handle:
        if not handle.read(1024).lstrip().startswith(_HEAD):
            raise NotAPaper(
                "ce n’est pas un document PDF", where=path.name, remedy="publiez l’acte signé, au format PDF"
            )
    # Read where a document is: it takes a tenth of a second that no page should pay.
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    parts: list[str] = []
    # A document one cannot read is still one that can be opened: it is kept, without its text.
    with suppress(Exception):
        for page in PdfReader(path).pages[:MOST_PAGES]:
            parts.append(page.extract_text())
            if sum(map(len, parts)) > MOST_LETTERS:
                break
    lines = (" ".join(line.split()) for part in parts for line in part.splitlines())
    return "\n".join(line for line in lines if line)[:MOST_LETTERS]


def _addresses(ref: DatasetRef, column: str) -> list[str]:
    found = rows(ANONYMOUS, ref, columns=[column], max_rows=MOST_ROWS, timeout_s=60.0).rows
    return list(dict.fromkeys(str(url).strip() for (url,) in found if url and str(url).startswith("http")))


def _name(url: str) -> str:
    """Return the last part of an address: the name its document has there."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1].replace("\0", "").lstrip(".")


def _keep(ref: DatasetRef, url: str, source: Path) -> None:
    if source.stat().st_size > MOST_BYTES:
        raise NotAPaper("document de plus de {most} Mo", where=source.name, remedy="réduisez-le", most=MOST_BYTES >> 20)
    text, target = text_of(source), _folder(ref) / _mark(url)
    with written_whole(target.with_suffix(".txt"), "w", encoding="utf-8") as handle:
        handle.write(text)
    # The document last: with it, its text is there.
    with source.open("rb") as read, written_whole(target.with_suffix(".pdf")) as handle:
        shutil.copyfileobj(read, handle)


def _asked_before(folder: Path) -> dict[str, dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError, ValueError):
        read: dict[str, dict[str, Any]] = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
        return read
    return {}


def _is_due(asked: dict[str, Any] | None, at: datetime) -> bool:
    if asked is None:
        return True
    pause = min(timedelta(days=2 ** min(10, int(asked["tries"]) - 1)), LONGEST_PAUSE)
    # A night is a little shorter than a day.
    return at >= datetime.fromisoformat(str(asked["at"])) + pause - timedelta(hours=2)


def _folder(ref: DatasetRef) -> Path:
    return root() / ref.territory / ref.slug


def _mark(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:32]
