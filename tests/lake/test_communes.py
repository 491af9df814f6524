"""Many communes at once: the same functions, on one process or on Dask, give the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from beffroi.lake.communes import DASK, CannotRefresh, communes_in, local_cluster, refresh_communes
from beffroi.lake.store import Lake

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _sources(folder: Path) -> Path:
    for code, count in (("34172", 40), ("2A004", 3)):
        home = folder / code
        home.mkdir(parents=True)
        rows = "".join(f"{number},Orme,{3.8 + number / 1e4},43.6\n" for number in range(count))
        (home / "arbres.csv").write_text(f"id,espece,lon,lat\n{rows}", encoding="utf-8")
    (folder / "34172" / "vide.csv").write_text("", encoding="utf-8")
    (folder / "notes").mkdir()
    return folder


def _bytes(lake: Path) -> dict[str, bytes]:
    kept = [one for one in lake.rglob("*") if one.name in ("data.parquet", "manifest.json") or one.suffix == ".sqlite"]
    return {str(one.relative_to(lake)): one.read_bytes() for one in kept}


@pytest.mark.slow
def test_dask_gives_the_bytes_that_one_process_gives(tmp_path: Path) -> None:
    sources = _sources(tmp_path / "sources")
    assert [code for code, _ in communes_in(sources)] == ["2A004", "34172"]
    here = {one.code: one for one in refresh_communes(sources, lake=tmp_path / "here", at=AT)}
    with local_cluster(1) as cluster:
        asked = {"engine": DASK, "scheduler": cluster.scheduler_address}
        there = {one.code: one for one in refresh_communes(sources, lake=tmp_path / "there", at=AT, **asked)}
        again = list(refresh_communes(sources, lake=tmp_path / "there", at=AT, **asked))
    assert here == there
    assert (here["34172"].published, here["2A004"].published) == (1, 1)
    assert [len(here[code].refused) for code in ("34172", "2A004")] == [1, 0]
    assert sum(one.unchanged for one in again) == 2
    assert _bytes(tmp_path / "here") == _bytes(tmp_path / "there")
    assert len(Lake(tmp_path / "there").refs()) == 2


def test_a_folder_without_communes_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotRefresh, match="code INSEE"):
        list(refresh_communes(tmp_path, lake=tmp_path / "lake", at=AT))
