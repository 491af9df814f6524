"""Archives sent by anyone: unpacked aside, within limits, never trusted for their names or their sizes."""

from __future__ import annotations

import shutil
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from beffroi.lake.reading import Unreadable

MOST_BYTES = 4 * 1024**3
"""Largest unpacked size accepted, all members together."""

MOST_MEMBERS = 5_000
MOST_RATIO = 300
"""How many times larger than the archive its content may be once it exceeds `FREE_BYTES`: a bomb is thousands."""

FREE_BYTES = 64 * 1024**2
_CHUNK = 1 << 20
_IGNORED = {"__MACOSX", ".DS_Store", "Thumbs.db"}


@contextmanager
def unpacked(path: Path, work_dir: Path | None = None) -> Iterator[Path]:
    """Yield a folder that holds the members of the zip archive `path`; it is removed when the block ends.

    Raises:
        Unreadable: not an archive, damaged, encrypted, or unreasonably large once unpacked.
    """
    with tempfile.TemporaryDirectory(dir=work_dir, prefix="beffroi-zip-") as name:
        folder = Path(name)
        try:
            _unpack(path, folder)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            NotImplementedError,
            ValueError,
            RuntimeError,
        ) as error:
            raise Unreadable(
                "archive zip endommagée ou non prise en charge ({error})",
                where=path.name,
                remedy="publiez à nouveau l’archive, compressée en zip ordinaire et sans mot de passe",
                error=str(error)[:120],
            ) from error
        yield folder


def member_names(path: Path) -> list[str]:
    """Return the names of the files of an archive, without unpacking it.

    Raises:
        Unreadable: not an archive, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_name_of(member) for member in archive.infolist() if _wanted(member)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(
            "archive zip endommagée ({error})",
            where=path.name,
            remedy="publiez à nouveau l’archive",
            error=str(error)[:120],
        ) from error


def _unpack(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if _wanted(member)]
        if len(members) > MOST_MEMBERS:
            raise _too_large(path)
        if any(member.flag_bits & 0x1 for member in members):
            raise Unreadable(
                "archive protégée par un mot de passe", where=path.name, remedy="publiez-la sans mot de passe"
            )
        budget = _budget(path)
        # The sizes an archive announces may lie: what is really written is what counts.
        for member in members:
            budget = _write_member(archive, member, folder / _safe_name(_name_of(member), path), budget, path)


def _budget(path: Path) -> int:
    return min(MOST_BYTES, max(FREE_BYTES, path.stat().st_size * MOST_RATIO), shutil.disk_usage(path.parent).free)


def _write_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, budget: int, path: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            budget -= len(chunk)
            if budget < 0:
                raise _too_large(path)
            sink.write(chunk)
    return budget


def _wanted(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    link = stat.S_ISLNK(member.external_attr >> 16)
    hidden = any(part in _IGNORED or part.startswith("._") for part in parts)
    return not member.is_dir() and not link and not hidden


def _name_of(member: zipfile.ZipInfo) -> str:
    """Return the name, read as UTF-8 when the archive forgot to say that it is."""
    name = member.filename
    if not member.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _safe_name(name: str, path: Path) -> PurePosixPath:
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".")]
    if not parts or "\x00" in name or any(len(part.encode()) > 250 for part in parts):
        raise Unreadable(
            "l’archive contient un nom de fichier inutilisable", where=path.name, remedy="renommez ses fichiers"
        )
    return PurePosixPath(*parts)


def _too_large(path: Path) -> Unreadable:
    return Unreadable(
        "archive démesurée une fois décompressée (plus de {ratio} fois sa taille, ou plus de {members} fichiers)",
        where=path.name,
        remedy="vérifiez l’archive ; publiez ses fichiers séparément si elle est saine",
        ratio=MOST_RATIO,
        members=MOST_MEMBERS,
    )
