"""All the national sources of a commune, fetched from where their dataset files say they are. Knows no Django."""

from __future__ import annotations

import gzip
import shutil
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError
from beffroi.lake.definitions import Definition
from beffroi.lake.fetching import MOST_BYTES, Fetched, NotFetched, NotPublished, Wait, fetch
from beffroi.lake.fetching import Told as BytesTold

Told = Callable[[int, int, Definition, int, int | None], Any]
"""Called as a source comes: how many are done, of how many, which, its bytes so far, of how many when it is known."""


@dataclass(frozen=True, slots=True)
class Source:
    """What came of one source: its file, or why there is none. `absent`: it does not exist for this commune."""

    definition: Definition
    path: Path | None = None
    changed: bool = False
    absent: bool = False
    fault: BeffroiError | None = None


def fetched(definitions: Sequence[Definition], territory: str) -> list[Definition]:
    """Return the dataset files that say where they are fetched and are for this commune, by slug."""
    ours = [one for one in definitions if one.fetch.url and not one.fictional]
    return sorted(
        (one for one in ours if not one.territories or territory in one.territories), key=lambda one: one.slug
    )


def address_of(definition: Definition, territory: str) -> str:
    """Return where the source of a commune is.

    >>> from beffroi.lake.declared import FetchOptions
    >>> told = FetchOptions("https://a.example/{department}/{commune}.csv", "x.csv")
    >>> address_of(Definition("x", fetch=told), "97411")
    'https://a.example/974/97411.csv'
    """
    return _placed(definition.fetch.url, territory)


def _placed(text: str, territory: str) -> str:
    department = territory[:3] if territory.startswith(("97", "98")) else territory[:2]
    return text.format(commune=territory, department=department)


def fetch_all(
    definitions: Sequence[Definition],
    territory: str,
    *,
    folder: Path,
    wait: Wait,
    mirror: Path | None = None,
    told: Told = lambda *_said: None,
) -> Iterator[Source]:
    """Yield each source of the commune once it is in `folder`; one that fails costs itself and no other."""
    wanted = fetched(definitions, territory)
    for rank, one in enumerate(wanted):
        target = folder / _placed(one.fetch.name, territory)
        told(rank, len(wanted), one, 0, None)
        try:
            if one.fetch.service not in ("", "file") and mirror is None:
                got = _served(one, territory, folder, wait=wait)
            else:
                got = _brought(
                    address_of(one, territory),
                    target,
                    mirror=mirror,
                    wait=wait,
                    told=lambda done, total, rank=rank, one=one: told(rank, len(wanted), one, done, total),  # type: ignore[misc]
                )
            beside = [
                fetch(_placed(url, territory), folder / _placed(name, territory), mirror=mirror, wait=wait)
                for url, name in one.fetch.beside
            ]
        except BeffroiError as fault:
            yield Source(one, absent=isinstance(fault, NotPublished), fault=fault)
        else:
            yield Source(one, got.path, got.changed or any(other.changed for other in beside))


def _brought(url: str, target: Path, *, mirror: Path | None, wait: Wait, told: BytesTold) -> Fetched:
    """Bring a source to `target`; one published compressed by gzip stays beside it, to be compared the next time."""
    if not url.endswith(".gz") or target.suffix == ".gz":
        return fetch(url, target, mirror=mirror, wait=wait, told=told)
    packed = target.with_name(f"{target.name}.gz")
    got = fetch(url, packed, mirror=mirror, wait=wait, told=told)
    if got.changed or not target.is_file():
        _unpack(packed, target)
    return Fetched(target, got.changed)


def _served(one: Definition, territory: str, folder: Path, *, wait: Wait) -> Fetched:
    """Bring what a service gives page by page; its pages stay apart from the files of the folder."""
    from beffroi.lake.services.reading import bring
    from beffroi.lake.services.way import Way

    way = Way(folder / ".services" / one.slug, urllib.request.build_opener(), wait)
    got = bring(one.fetch.service, address_of(one, territory), one.fetch.layer, way, name=one.slug)
    target = folder / f"{Path(_placed(one.fetch.name, territory)).stem}{got.path.suffix}"
    if got.changed or not target.is_file():
        aside = target.with_name(f"{target.name}.part")
        shutil.copyfile(got.path, aside)
        aside.replace(target)
    return Fetched(target, got.changed)


def _unpack(packed: Path, target: Path) -> None:
    """Write what a gzip file holds, whole or not at all.

    Raises:
        NotFetched: it is damaged, or holds more than a source may.
    """
    aside, done = target.with_name(f"{target.name}.part"), 0
    try:
        with gzip.open(packed, "rb") as source, aside.open("wb") as sink:
            while chunk := source.read(1 << 20):
                done += len(chunk)
                if done > MOST_BYTES:
                    raise zlib.error("too large")
                sink.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        aside.unlink(missing_ok=True)
        raise NotFetched(
            "archive gzip endommagée ou trop grande", where=packed.name, remedy="relancez plus tard"
        ) from error
    aside.replace(target)
