"""The pages every face shares, and what templates use to write them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import translation

from beffroi.base.kernel.sentences import Sentence
from beffroi.faces.shell import assets, views
from beffroi.faces.shell.icons import ICONS
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.templatetags.shell import number, size, unfilled
from beffroi.faces.shell.themes import THEMES

SHARED = ["/langue/", "/apparence/", "/accessibilite/", "/mentions-legales/", "/plan-du-site/", "/composants/"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", SHARED)
def test_shared_pages_have_one_heading_a_language_and_a_way_to_the_content(address: str, client: Client) -> None:
    page = client.get(address).content.decode()
    assert page.count("<h1") == 1
    assert '<html lang="fr"' in page
    assert 'href="#contenu"' in page
    assert '<main id="contenu"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "reached"),
    [("/carte/", "/carte/"), ("https://ailleurs.example/", "/"), ("//ailleurs.example", "/"), ("", "/")],
)
def test_choosing_a_language_never_leads_elsewhere(wanted: str, reached: str, client: Client) -> None:
    answer = client.get("/langue/", {"vers": "en", "suite": wanted})
    assert answer.headers["Location"] == reached
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"


@pytest.mark.django_db
def test_an_unknown_language_or_appearance_offers_those_there_are(client: Client) -> None:
    assert "English" in client.get("/langue/", {"vers": "tlh"}).content.decode()
    page = client.get("/apparence/", {"vers": "fluo"}).content.decode()
    assert "Contraste renforcé" in page


@pytest.mark.django_db
def test_the_appearance_chosen_is_on_the_page(client: Client) -> None:
    client.get("/apparence/", {"vers": "contrast"})
    assert 'data-theme="contrast"' in client.get("/apparence/").content.decode()


def test_every_theme_of_the_data_files_has_words_of_its_own() -> None:
    files = (settings.BASE_DIR.parents[1] / "datasets").rglob("*.toml")
    named = {str(tomllib.loads(path.read_text(encoding="utf-8")).get("theme", "")) for path in files} - {""}
    # An unknown theme is its slug, spelt without accents.
    assert {slug for slug in named if slug.replace("-", "_") not in THEMES} == set()


def test_the_way_back_is_one_component() -> None:
    written = {
        path.name
        for path in (settings.BASE_DIR / "faces").rglob("*.html")
        if '<nav class="breadcrumb"' in path.read_text(encoding="utf-8")
    }
    # The layout of allauth stands between its pages and ours: it has one step, and nothing after.
    assert written == {"breadcrumb.html", "manage.html"}, "include shell/components/breadcrumb.html instead"


@pytest.mark.django_db
def test_every_component_is_shown(client: Client) -> None:
    answer = client.get("/composants/")
    shown = {template.name for template in answer.templates if template.name}
    folder = assets.FOLDER.parents[1] / "templates" / "shell" / "components"
    # Shown in the pages themselves: messages come after an act, forms and their errors on the service pages.
    elsewhere = {"messages.html", "form.html", "form_errors.html", "error.html"}
    missing = {path.name for path in folder.glob("*.html")} - elsewhere - {name.split("/")[-1] for name in shown}
    assert missing == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("view", "status"),
    [(views.bad_request, 400), (views.permission_denied, 403), (views.page_not_found, 404), (views.server_error, 500)],
)
def test_errors_are_told_in_french_with_a_way_out(view: Callable[..., object], status: int, rf: RequestFactory) -> None:
    answer = view(rf.get("/quelque/part/"))
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == status  # type: ignore[attr-defined]
    assert "Retour à l’accueil" in page


def test_the_page_of_a_breakdown_asks_nothing_of_the_registry(rf: RequestFactory) -> None:
    assert views.server_error(rf.get("/")).status_code == 500


def test_pages_stand_unstyled_when_assets_are_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "manifest", dict)
    assert Template('{% load shell %}[{% asset "main" %}]').render(Context()) == "[]"


@pytest.mark.parametrize("name", sorted(ICONS))
def test_icons_are_hidden_from_those_who_listen(name: str) -> None:
    drawn = Template(f'{{% load shell %}}{{% icon "{name}" %}}').render(Context())
    assert 'aria-hidden="true"' in drawn


@pytest.mark.parametrize(
    ("octets", "told"),
    [(0, "0 octets"), (999, "999 octets"), (1500, "1,5 ko"), (12_000, "12 ko"), (3_400_000, "3,4 Mo"), (None, "–")],
)
def test_sizes_are_told_as_people_read_them(octets: int | None, told: str) -> None:
    assert size(octets) == told


def test_numbers_follow_the_language() -> None:
    assert number(1234567.5) == "1\u202f234\u202f567,5"
    with translation.override("en"):
        assert number(1234567.5) == "1,234,567.5"


def test_sentences_of_other_rooms_are_filled_or_left_open() -> None:
    assert said(Sentence("colonne « {name} » absente", {"name": "insee"})) == "colonne « insee » absente"
    assert unfilled("colonne « {name} » absente") == "colonne « … » absente"
