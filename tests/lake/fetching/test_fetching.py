"""Sources fetched from a real HTTP server that replays folders, cuts, asks to wait, and truncates."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from beffroi.lake.declared import FetchOptions
from beffroi.lake.definitions import Definition
from beffroi.lake.fetching import NotFetched, NotPublished, fetch
from beffroi.lake.refreshing import fetch_all
from lake.fetching.replaying import Site, replaying

BODY = b"".join(b"%06d;ligne\n" % number for number in range(60_000))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "a.csv").write_bytes(BODY)
    with replaying(folder) as served:
        yield served


def no_wait(_seconds: float) -> None: ...


def test_a_file_comes_whole_and_what_has_not_changed_costs_one_question(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "in" / "a.csv"
    first = fetch(f"{site.url}/a.csv", target, wait=no_wait)
    assert first.changed
    assert target.read_bytes() == BODY
    again = fetch(f"{site.url}/a.csv", target, wait=no_wait)
    assert not again.changed
    assert "If-None-Match" in site.asked[-1][1]
    (site.folder / "a.csv").write_bytes(BODY + b"une de plus\n")
    assert fetch(f"{site.url}/a.csv", target, wait=no_wait).changed
    assert target.read_bytes().endswith(b"une de plus\n")
    assert sorted(path.name for path in target.parent.iterdir()) == ["a.csv", "a.csv.fetch"]


def test_a_connection_cut_twice_goes_on_from_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.cut_after = [300_000, 200_000]
    waited: list[float] = []
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=waited.append)
    assert (tmp_path / "a.csv").read_bytes() == BODY
    assert [headers.get("Range") for _path, headers in site.asked] == [None, "bytes=300000-", "bytes=500000-"]
    assert waited == [1.0, 2.0]


def test_what_was_begun_is_resumed_by_another_command_and_never_served_half(site: Site, tmp_path: Path) -> None:
    site.cut_after = [100_000]
    with pytest.raises(NotFetched, match="après 1 essais"):
        fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=no_wait, most_tries=1)
    assert not (tmp_path / "a.csv").exists()
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=no_wait)
    assert site.asked[-1][1]["Range"] == "bytes=100000-"
    assert (tmp_path / "a.csv").read_bytes() == BODY


@pytest.mark.parametrize("strong", [True, False])
def test_a_file_that_changed_meanwhile_is_taken_from_its_beginning(site: Site, tmp_path: Path, strong: bool) -> None:
    site.strong, site.cut_after = strong, [100_000]
    with pytest.raises(NotFetched):
        fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=no_wait, most_tries=1)
    (site.folder / "a.csv").write_bytes(BODY.upper())
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=no_wait)
    assert (tmp_path / "a.csv").read_bytes() == BODY.upper()


def test_a_site_that_asks_to_wait_is_waited_for_as_long_as_it_says(site: Site, tmp_path: Path) -> None:
    site.busy = [(429, "7"), (503, ""), (503, "Wed, 01 Jan 2020 00:00:00 GMT"), (429, "9999")]
    waited: list[float] = []
    fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=waited.append)
    assert waited == [7.0, 2.0, 0.0, 120.0]


def test_a_site_that_never_answers_leaves_what_was_there(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"avant")
    site.busy = [(503, "")] * 9
    with pytest.raises(NotFetched, match="pas de réponse entière après 6 essais"):
        fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=no_wait)
    assert (tmp_path / "a.csv").read_bytes() == b"avant"


def test_a_file_truncated_every_time_is_never_taken_for_whole(site: Site, tmp_path: Path) -> None:
    site.cut_after = [10] * 9
    with pytest.raises(NotFetched, match="ce qui est déjà arrivé sera repris"):
        fetch(f"{site.url}/a.csv", tmp_path / "a.csv", wait=no_wait)
    assert not (tmp_path / "a.csv").exists()


def test_one_source_that_fails_costs_itself_alone_and_what_does_not_exist_is_told_apart(
    site: Site, tmp_path: Path
) -> None:
    definitions = [
        Definition("a", fetch=FetchOptions(f"{site.url}/a.csv", "a_{commune}.csv")),
        Definition("b", fetch=FetchOptions(f"{site.url}/{{department}}/{{commune}}.csv", "b.csv")),
        Definition("c", fetch=FetchOptions("ftp://127.0.0.1/x", "c.csv")),
        Definition("d", fetch=FetchOptions(f"{site.url}/a.csv", "d.csv"), territories=("93010",)),
    ]
    told: list[int] = []
    found = list(
        fetch_all(definitions, "34172", folder=tmp_path, wait=no_wait, told=lambda *said: told.append(said[3]))
    )
    assert [(one.definition.slug, one.changed, one.absent) for one in found] == [
        ("a", True, False),
        ("b", False, True),
        ("c", False, False),
    ]
    assert (tmp_path / "a_34172.csv").read_bytes() == BODY
    assert "/34/34172.csv" in [path for path, _headers in site.asked]
    assert max(told) == len(BODY)


def test_a_mirror_gives_the_same_files_and_asks_nobody(site: Site, tmp_path: Path) -> None:
    mirror = tmp_path / "miroir"
    (mirror / "donnees.example" / "34").mkdir(parents=True)
    (mirror / "donnees.example" / "34" / "x.csv").write_bytes(b"1\n")
    (mirror / "y.csv").write_bytes(b"2\n")
    first = fetch("https://donnees.example/34/x.csv", tmp_path / "in" / "x.csv", mirror=mirror, wait=no_wait)
    assert (first.path.read_bytes(), first.changed) == (b"1\n", True)
    assert not fetch("https://donnees.example/34/x.csv", tmp_path / "in/x.csv", mirror=mirror, wait=no_wait).changed
    named = fetch("https://ailleurs.example/?id=3", tmp_path / "in" / "y.csv", mirror=mirror, wait=no_wait)
    assert named.path.read_bytes() == b"2\n"
    with pytest.raises(NotPublished, match="rien dans le miroir"):
        fetch("https://donnees.example/../../z.csv", tmp_path / "in" / "z.csv", mirror=mirror, wait=no_wait)
    assert site.asked == []


def test_a_source_published_compressed_is_unpacked_and_one_damaged_is_told(site: Site, tmp_path: Path) -> None:
    (site.folder / "x.json.gz").write_bytes(gzip.compress(b"{}"))
    one = Definition("x", fetch=FetchOptions(f"{site.url}/x.json.gz", "x.json"))
    (first,) = fetch_all([one], "34172", folder=tmp_path / "in", wait=no_wait)
    assert first.path == tmp_path / "in" / "x.json"
    assert first.path.read_bytes() == b"{}"
    (again,) = fetch_all([one], "34172", folder=tmp_path / "in", wait=no_wait)
    assert not again.changed
    (site.folder / "x.json.gz").write_bytes(gzip.compress(b"[1]" * 50_000)[:-20])
    (broken,) = fetch_all([one], "34172", folder=tmp_path / "in", wait=no_wait)
    assert "endommagée" in str(broken.fault)
    assert first.path.read_bytes() == b"{}"


def test_the_files_that_go_with_a_source_come_beside_it(site: Site, tmp_path: Path) -> None:
    (site.folder / "usagers.csv").write_bytes(b"Num_Acc\n")
    told = FetchOptions(
        f"{site.url}/a.csv", "caract-2024.csv", beside=((f"{site.url}/usagers.csv", "usagers-2024.csv"),)
    )
    (first,) = fetch_all([Definition("accidents", fetch=told)], "34172", folder=tmp_path / "in", wait=no_wait)
    assert first.changed
    assert (tmp_path / "in" / "usagers-2024.csv").read_bytes() == b"Num_Acc\n"
    (site.folder / "usagers.csv").write_bytes(b"Num_Acc\n2\n")
    (again,) = fetch_all([Definition("accidents", fetch=told)], "34172", folder=tmp_path / "in", wait=no_wait)
    assert again.changed
