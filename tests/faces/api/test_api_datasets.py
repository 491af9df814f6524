"""`/api/datasets` gives what the reader may read, page by page, and says what is wrong with a question."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.operations import create_api_key

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TREES = "/api/datasets/34172/arbres"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("town")]


def _agent_key() -> dict[str, str]:
    key = create_api_key(
        territory="34172",
        name="essai",
        scopes=["data:agents"],
        expires_at=datetime.now(UTC) + timedelta(days=1),
        by=None,
        at=AT,
    )
    return {"Authorization": f"Bearer {key}"}


def test_the_list_shows_what_the_reader_may_see(client: Client) -> None:
    public = client.get("/api/datasets").json()
    assert [(one["id"], one["rows"], one["geometry_type"]) for one in public["datasets"]] == [
        ("34172/arbres", 25, "Point")
    ]
    agents = client.get("/api/datasets", headers=_agent_key()).json()
    assert [one["id"] for one in agents["datasets"]] == ["34172/arbres", "34172/ruches"]


def test_the_list_is_paged(client: Client) -> None:
    first = client.get("/api/datasets?limit=1", headers=_agent_key()).json()
    assert (first["total"], len(first["datasets"]), first["next"]) == (2, 1, "/api/datasets?limit=1&offset=1")
    second = client.get(first["next"], headers=_agent_key()).json()
    assert (len(second["datasets"]), second["next"]) == (1, None)


def test_a_dataset_tells_the_columns_the_reader_may_read(client: Client) -> None:
    public = [column["key"] for column in client.get(TREES).json()["columns"]]
    assert "note" not in public
    assert "note" in [column["key"] for column in client.get(TREES, headers=_agent_key()).json()["columns"]]


@pytest.mark.parametrize("path", ["", "/versions", "/report", "/rows", "/features", "/features/1", "/download/csv"])
def test_a_dataset_one_may_not_see_does_not_exist(client: Client, path: str) -> None:
    hidden = client.get(f"/api/datasets/34172/ruches{path}")
    absent = client.get(f"/api/datasets/34172/dragons{path}")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.json()["title"].replace("ruches", "x") == absent.json()["title"].replace("dragons", "x")
    seen = client.get(f"/api/datasets/34172/ruches{path}", headers=_agent_key())
    assert seen.status_code == 200
    seen.close()


def test_features_are_walked_to_the_end_without_doubles(client: Client) -> None:
    url: str | None = f"{TREES}/features?limit=10"
    seen: list[Any] = []
    pages = 0
    while url:
        answer = client.get(url)
        assert answer.headers["Content-Type"] == "application/geo+json"
        page = answer.json()
        assert page["numberReturned"] == len(page["features"])
        seen += [feature["properties"]["id"] for feature in page["features"]]
        url, pages = page.get("next"), pages + 1
    assert (sorted(seen), pages) == (list(range(1, 26)), 3)


def test_features_are_cut_to_the_box(client: Client) -> None:
    inside = client.get(f"{TREES}/features?bbox=3.80,43.56,3.85,43.60").json()["features"]
    assert 0 < len(inside) < 25
    assert all(3.80 <= one["geometry"]["coordinates"][0] <= 3.85 for one in inside)


def test_rows_are_filtered_and_sorted(client: Client) -> None:
    page = client.get(f"{TREES}/rows?where=hauteur_m:ge:20&where=id:lt:25&sort=-id&columns=id,hauteur_m").json()
    assert [row["values"]["id"] for row in page["rows"]] == [19, 18, 17]
    assert (page["total"], page["next"]) == (3, None)
    assert page["columns"][1]["unit"] == "m"


def test_rows_are_paged(client: Client) -> None:
    page = client.get(f"{TREES}/rows?limit=20&sort=id").json()
    rest = client.get(page["next"]).json()
    assert [row["values"]["id"] for row in page["rows"] + rest["rows"]] == list(range(1, 26))


@pytest.mark.parametrize(
    ("path", "status", "where", "title"),
    [
        ("?limit=0", 422, "limit", "donnez au moins 1"),
        ("?limit=9999", 422, "limit", "donnez au plus 1000"),
        ("?limit=dix", 422, "limit", "ce n’est pas un nombre entier"),
        ("?limt=10", 400, "limt", "paramètre inconnu"),
        ("?territory=../..", 422, "territory", "forme attendue"),
        ("/34172/arbres/features?bbox=3,4", 400, "bbox", "emprise « 3,4 » illisible"),
        ("/34172/arbres/features?after=%00x", 400, "", ""),
        ("/34172/arbres/rows?where=hauteur_m", 400, "where", "filtre « hauteur_m » illisible"),
        ("/34172/arbres/rows?where=note:eq:secret-1", 400, "", ""),
        ("/34172/arbres/rows?sort=note", 400, "", ""),
        ("/34172/arbres/rows?where=hauteur_m:ge:haut", 400, "", ""),
        ("/34172/arbres/rows?columns=dragon", 400, "", ""),
        ("/34172/arbres/download/exe", 400, "", ""),
        ("/34172/arbres?version=zzz", 404, "", ""),
        ("/montpellier/arbres", 422, "territory", "forme attendue"),
        ("/34172/arbres/dragons", 404, "", "Cette adresse n’existe pas."),
    ],
)
def test_a_wrong_question_is_told_why(client: Client, path: str, status: int, where: str, title: str) -> None:
    answer = client.get(f"/api/datasets{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert where in problem["where"]
    assert title in problem["title"]
    assert problem["remedy"]


def test_a_misspelt_parameter_is_guessed(client: Client) -> None:
    assert client.get("/api/datasets?limt=10").json()["remedy"] == "vouliez-vous dire « limit » ?"


def test_a_wrong_method_says_which_ones_do(client: Client) -> None:
    answer = client.post("/api/datasets", {}, "application/json")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_head_answers_as_get_without_a_body(client: Client) -> None:
    answer = client.head(TREES)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_download_holds_the_readable_columns(client: Client) -> None:
    answer = client.get(f"{TREES}/download/csv")
    body = answer.getvalue()
    answer.close()
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(rows) == 26
    assert b"secret-" not in body
    assert "attachment" in answer.headers["Content-Disposition"]


def test_versions_and_report_tell_the_history(client: Client) -> None:
    (version,) = client.get(f"{TREES}/versions").json()["versions"]
    assert (version["is_current"], version["rows"]) == (True, 25)
    report = client.get(f"{TREES}/report").json()
    assert (report["rows_read"], report["rows_kept"], report["rows_rejected"]) == (25, 25, 0)


def test_problems_are_said_in_english_to_who_reads_english(client: Client) -> None:
    answer = client.get("/api/datasets?limit=0", headers={"Accept-Language": "en"})
    assert answer.status_code == 422


def test_no_credentials_no_session(client: Client, django_assert_num_queries: Any) -> None:
    client.get(f"{TREES}/features")
    with django_assert_num_queries(0):
        answer = client.get(f"{TREES}/features")
    assert not answer.cookies
