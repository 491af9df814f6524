"""The folder of the lake: versions that appear whole or not at all. Knows no Django.

<lake>/<territory>/<slug>/dataset.json            rights and definition in force
                         /current                 the version served (text)
                         /checked.json            when the source was last found unchanged
                         /parts.json              the datasets a source of several tables became
                         /announce/<version>      published, not yet told to the journal
                         /versions/<version>/…    data.parquet, manifest.json, report.json, serving and tiles
                         /edits.current           the edits laid over the version served (see `edits`)
                         /edits/<version>.<n>/…   data.parquet, edits.json, serving
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.files import fsync_all, fsync_folder, fsync_tree
from beffroi.base.territory.viewer import PUBLIC
from beffroi.lake.definition_values import SLUG
from beffroi.lake.manifest import (
    ImportReport,
    Manifest,
    manifest_as_json,
    manifest_from_json,
    read_json,
    report_as_json,
    report_from_json,
)

_TERRITORY = re.compile(r"[0-9A-Za-z]{1,20}")
_VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")


class DatasetNotFound(NotFound):
    """The dataset, version or feature does not exist, or the viewer may not know that it does."""


class LakeNotWritable(BeffroiError):
    """The disk refuses: full, read-only, or not ours."""

    http_status = 503


@dataclass(frozen=True, slots=True, order=True)
class DatasetRef:
    """Name a dataset: the INSEE (or SIREN) code of its territory and its slug."""

    territory: str
    slug: str

    def __str__(self) -> str:
        return f"{self.territory}/{self.slug}"


def not_found(ref: DatasetRef) -> DatasetNotFound:
    """Return the one error for what is absent and for what the viewer may not see."""
    return DatasetNotFound(
        "jeu de données « {name} » introuvable", remedy="consultez la liste des données", name=str(ref)[:120]
    )


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds for a dataset today, whatever the version: which one is served, and the rights.

    `edits` names what is laid over that version, empty when nothing is. `rhythm` is what an agent said of how often it
    is made new, empty when none did (see `rhythms`).
    """

    version: str
    access: str = PUBLIC
    columns: tuple[tuple[str, str], ...] = ()
    edits: str = ""
    rhythm: str = ""


def _no_step(_name: str) -> None:
    return None


on_step: Callable[[str], None] = _no_step
"""Called with a name between the steps of a publication: tests kill the process there."""


def step(name: str) -> None:
    """Mark one step of a publication."""
    on_step(name)


@lru_cache(maxsize=1024)
def _manifest_at(path: Path) -> Manifest:
    # Kept for good: a version never changes.
    return manifest_from_json(read_json(path))


@lru_cache(maxsize=2048)
def _in_force_at(folder: str, _current: tuple[int, int], _dataset: tuple[int, int]) -> InForce:
    payload = read_json(Path(folder, "dataset.json"))
    version = Path(folder, "current").read_text().strip()
    edits = ""
    with suppress(FileNotFoundError):
        edits = Path(folder, "edits.current").read_text().strip()
    if edits.partition(".")[0] != version:
        # Laid over a version that is no longer served.
        edits = ""
    return InForce(version, payload["access"], tuple(payload["columns"].items()), edits, payload.get("rhythm", ""))


def _stamp(path: str) -> tuple[int, int]:
    stat = os.stat(path)  # noqa: PTH116 - on the fast path of every tile and feature
    return stat.st_mtime_ns, stat.st_ino


@dataclass(frozen=True, slots=True)
class Lake:
    """One lake folder. Readers never lock; writers of one dataset take turns."""

    root: Path

    def folder(self, ref: DatasetRef) -> Path:
        """Return where a dataset is.

        Raises:
            DatasetNotFound: the name cannot be one of ours (and would wander in the file system).
        """
        if not _TERRITORY.fullmatch(ref.territory) or not SLUG.fullmatch(ref.slug) or len(ref.slug) > 120:
            raise not_found(ref)
        return self.root / ref.territory / ref.slug

    def refs(self, territory: str | None = None) -> list[DatasetRef]:
        """Return every dataset with a version in service, by territory and slug."""
        if territory is not None and not _TERRITORY.fullmatch(territory):
            return []
        return sorted(
            DatasetRef(path.parent.parent.name, path.parent.name)
            for path in self.root.glob(f"{territory or '[!.]*'}/*/current")
        )

    def in_force(self, ref: DatasetRef) -> InForce:
        """Return the version served and the rights of today; two `stat` calls when nothing moved.

        Raises:
            DatasetNotFound: no version was ever published.
        """
        folder = str(self.folder(ref))
        try:
            return _in_force_at(folder, _stamp(f"{folder}/current"), _stamp(f"{folder}/dataset.json"))
        except FileNotFoundError:
            raise not_found(ref) from None

    def definition(self, ref: DatasetRef) -> dict[str, Any]:
        """Return the definition in force, as JSON.

        Raises:
            DatasetNotFound: no version was ever published.
        """
        self.in_force(ref)
        return dict(read_json(self.folder(ref) / "dataset.json")["definition"] or {})

    def version_folder(self, ref: DatasetRef, version: str) -> Path:
        """Return the folder of one version.

        Raises:
            DatasetNotFound: there is none.
        """
        folder = self.folder(ref) / "versions" / version
        if not _VERSION.fullmatch(version) or not folder.is_dir():
            raise not_found(ref)
        return folder

    def versions(self, ref: DatasetRef) -> list[str]:
        """Return the versions, newest first."""
        folder = self.folder(ref) / "versions"
        if not folder.is_dir():
            return []
        return sorted((path.name for path in folder.iterdir() if _VERSION.fullmatch(path.name)), reverse=True)

    def manifest(self, ref: DatasetRef, version: str) -> Manifest:
        """Return what a version says of itself.

        Raises:
            DatasetNotFound: there is no such version.
        """
        return _manifest_at(self.version_folder(ref, version) / "manifest.json")

    def report(self, ref: DatasetRef, version: str) -> ImportReport:
        """Return what the import that made a version read and refused.

        Raises:
            DatasetNotFound: there is no such version.
        """
        return report_from_json(read_json(self.version_folder(ref, version) / "report.json"))

    def checked(self, ref: DatasetRef) -> dict[str, Any]:
        """Return when, and against which fingerprint, the source was last found unchanged; empty when never."""
        return _noted(self.folder(ref) / "checked.json")

    def parts(self, ref: DatasetRef) -> dict[str, Any]:
        """Return which datasets a source of several tables became, and from which fingerprint; empty when none."""
        return _noted(self.folder(ref) / "parts.json")

    @contextmanager
    def writing(self, ref: DatasetRef) -> Iterator[Path]:
        """Hold the dataset for one writer, clear what killed ones left, yield its folder.

        The lock dies with its process. A failure of the disk comes out as `LakeNotWritable`.
        """
        folder = self.folder(ref)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                _sweep(folder)
                yield folder
        except OSError as error:
            raise LakeNotWritable(
                "le lac ne peut pas être écrit ({reason})",
                where=str(ref),
                remedy="libérez de la place ou rendez le dossier accessible, puis relancez ; "
                "la version précédente reste servie",
                reason=error.strerror or error,
            ) from error

    @contextmanager
    def baking(self, ref: DatasetRef) -> Iterator[None]:
        """Hold the serving indexes of a dataset: nobody bakes the same twice, and nobody who publishes waits."""
        with (self.folder(ref) / ".baking.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def streaming(self, folder: Path) -> Iterator[Path]:
        """Yield a folder to write to before the name of the version is known; `folder` is the dataset's, held."""
        aside = folder / "versions" / ".streamed.part"
        aside.mkdir(parents=True)
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    @contextmanager
    def new_version(self, ref: DatasetRef, version: str) -> Iterator[Path]:
        """Yield a folder that becomes the version when the block ends well, and leaves no trace otherwise.

        What it holds is durable from then on; its name is once :meth:`put_in_force` has named it.
        """
        home = self.folder(ref) / "versions"
        aside = home / f".{version}.part"
        aside.mkdir(parents=True)
        try:
            yield aside
            step("before-fsync")
            fsync_tree(aside)
            step("before-rename")
            aside.rename(home / version)
            step("after-rename")
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def put_in_force(
        self, ref: DatasetRef, version: str, *, announce: Any, rights: InForce | None = None, definition: Any = None
    ) -> None:
        """Make `version` the one served; `announce` is what the journal must be told.

        Rights change first: between two steps they may be too narrow, never too wide. What `version` needs is durable
        before it is named.
        """
        folder = self.folder(ref)
        said, note, current = folder / "dataset.json", folder / "announce" / version, folder / "current"
        texts = {note: _as_text(announce), current: version}
        if rights is not None:
            payload = {"access": rights.access, "columns": dict(rights.columns), "definition": definition}
            # What an agent said of the rhythm holds whatever the version.
            kept = {key: value for key, value in _noted(said).items() if key == "rhythm"}
            texts[said] = _as_text(payload | kept)
        note.parent.mkdir(exist_ok=True)
        with _written_aside(texts) as asides:
            if rights is not None:
                asides[said].replace(said)
                step("after-rights")
            asides[note].replace(note)
            fsync_all([folder / "versions", folder, note.parent])
            step("before-current")
            asides[current].replace(current)
            fsync_folder(folder)
            step("after-current")

    def put_rhythm(self, ref: DatasetRef, words: str) -> None:
        """Keep what an agent says of the rhythm, durable; empty forgets it. The dataset is held (:meth:`writing`)."""
        said = self.folder(ref) / "dataset.json"
        payload = {key: value for key, value in read_json(said).items() if key != "rhythm"}
        with _written_aside({said: _as_text(payload | ({"rhythm": words} if words else {}))}) as asides:
            asides[said].replace(said)
        fsync_folder(said.parent)

    def put_edits(self, ref: DatasetRef, name: str) -> None:
        """Lay edits, durable, over the version served. The dataset is held (see :meth:`writing`)."""
        folder = self.folder(ref)
        pointer, said = folder / "edits.current", folder / "dataset.json"
        with _written_aside({pointer: name}) as asides:
            asides[pointer].replace(pointer)
        fsync_folder(folder)
        # Readers look at the time of this file alone: edits cost them nothing while there are none.
        moment = max(time.time_ns(), said.stat().st_mtime_ns + 1)
        os.utime(said, ns=(moment, moment))
        mark = self.root / ref.territory / ".edits"
        mark.touch()
        os.utime(mark, ns=(moment, moment))

    def edits_mark(self, territory: str) -> int:
        """Return a number that moves with every edit in a territory; one `stat` call."""
        try:
            return os.stat(self.root / territory / ".edits").st_mtime_ns  # noqa: PTH116 - asked by every open map
        except FileNotFoundError:
            return 0

    @contextmanager
    def editing(self, ref: DatasetRef) -> Iterator[None]:
        """Hold the edits of a dataset: nobody lays another while a version is made of them. Before :meth:`writing`."""
        folder = self.folder(ref)
        if not folder.is_dir():
            raise not_found(ref)
        with (folder / ".edits.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def waiting_announcements(self) -> list[tuple[DatasetRef, str]]:
        """Return the versions put in service that the journal was not told about, oldest first."""
        found = [
            (DatasetRef(path.parents[1].parent.name, path.parents[1].name), path.name)
            for path in self.root.glob("[!.]*/*/announce/[!.]*")
        ]
        return sorted(found, key=lambda item: item[1])

    def announced(self, ref: DatasetRef, version: str) -> None:
        """Forget that a version waits to be announced."""
        (self.folder(ref) / "announce" / version).unlink(missing_ok=True)


@contextmanager
def _written_aside(texts: Mapping[Path, str]) -> Iterator[dict[Path, Path]]:
    """Write small files aside, durable, for the block to rename; the dataset is held (see :meth:`Lake.writing`)."""
    asides = {path: path.with_name(f".{path.name}.part") for path in texts}
    try:
        for path, aside in asides.items():
            aside.write_text(texts[path], encoding="utf-8")
        fsync_all(asides.values())
        yield asides
    except BaseException:
        for aside in asides.values():
            aside.unlink(missing_ok=True)
        raise


def write_note(path: Path, payload: Any) -> None:
    """Write a JSON file that may be lost, though never half written: without it, a source is read once more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(_as_text(payload), encoding="utf-8")
    aside.replace(path)


def write_papers(folder: Path, manifest: Manifest, report: ImportReport) -> None:
    """Write the manifest and the report of a version being made: it is made durable as a whole, not file by file."""
    (folder / "manifest.json").write_text(_as_text(manifest_as_json(manifest)), encoding="utf-8")
    (folder / "report.json").write_text(_as_text(report_as_json(report)), encoding="utf-8")


def _as_text(payload: Any) -> str:
    # No indent: it would leave the encoder written in C.
    return json.dumps(payload, ensure_ascii=False, sort_keys=True)


def _noted(path: Path) -> dict[str, Any]:
    try:
        return dict(read_json(path))
    except (FileNotFoundError, ValueError):
        # A power cut can empty a file that nobody asked to be durable.
        return {}


def _sweep(folder: Path) -> None:
    """Remove what an import killed on the way left; the lock is held, so nobody is still writing it."""
    for pattern in ("versions/.*.part", ".*.part", "announce/.*.part", "edits/.*.part"):
        for leftover in folder.glob(pattern):
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink(missing_ok=True)
