"""A commune's colours and arms: chosen by its administrators, readable whatever they chose, worn by every page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.colours import DARK_PAPERS, LEAST, LIGHT_PAPERS, contrast, on_dark, on_light, style_sheet

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
ARMS = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/><script>x()</script></svg>'


@settings(max_examples=60, deadline=None)
@given(COLOURS)
def test_any_colour_is_read_on_every_paper(colour: str) -> None:
    light, dark = on_light(colour), on_dark(colour)
    assert min(contrast(light.ink, paper) for paper in (*LIGHT_PAPERS, light.soft)) >= LEAST
    assert min(contrast(dark.ink, paper) for paper in (*DARK_PAPERS, dark.soft)) >= LEAST
    assert contrast(light.strong, "#ffffff") >= LEAST
    assert contrast(light.strong, light.soft) >= LEAST
    assert contrast(dark.ink, "#000000") >= LEAST


@pytest.mark.parametrize(("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48)])
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    """Published pairs: WebAIM's contrast checker, November 2026."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


def test_a_colour_that_reads_is_left_as_it_is() -> None:
    assert on_light("#12495a").ink == "#12495a"


def test_the_sheet_leaves_high_contrast_alone() -> None:
    sheet = style_sheet("#f0c000", "")
    assert "--commune-1:#f0c000" in sheet
    dressed = re.findall(r":root([^{]*)\{--brand", sheet)
    assert len(dressed) == 3
    assert all("contrast" in selector or "dark" in selector for selector in dressed)


def wear(client: Client, **changes: Any) -> Any:
    return client.post("/agent/couleurs/", {"colour": "#12495a", "accent": "#84490a", **changes}, follow=True)


@pytest.mark.django_db
def test_a_pale_colour_is_worn_darker_and_the_page_says_so(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert "commune.css" not in client.get("/").content.decode()
    told = wear(signed_in(Role.ADMINISTRATOR), colour="#f0c000").content.decode()
    assert "se lirait mal en clair (contraste 1,5 pour 1" in told
    page = client.get("/").content.decode()
    address = re.search(r'href="(/apparence/commune\.css\?v=[0-9a-f]+)"', page)
    assert address is not None
    assert 'name="theme-color" content="#f0c000"' in page
    sheet = client.get(address[1])
    assert f"--brand:{on_light('#f0c000').ink}" in sheet.content.decode()
    assert "immutable" in sheet.headers["Cache-Control"]
    # An old address is not kept for good: what it names is no longer worn.
    assert "immutable" not in client.get("/apparence/commune.css?v=0").headers["Cache-Control"]
    wear(signed_in(Role.ADMINISTRATOR), house="on")
    assert "commune.css" not in client.get("/").content.decode()


@pytest.mark.django_db
def test_arms_are_shown_clean_and_taken_away(small_town: str, client: Client, signed_in: Callable[..., Client]) -> None:
    administrator = signed_in(Role.ADMINISTRATOR)
    assert client.get("/apparence/armes").status_code == 404
    wear(administrator, arms=SimpleUploadedFile("armes.svg", ARMS))
    address = re.search(r'src="(/apparence/armes\?v=[0-9a-f]+)"', client.get("/").content.decode())
    assert address is not None
    shown = client.get(address[1])
    assert shown.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert b"script" not in shown.content
    assert b"data:image/svg+xml;base64" in client.get("/apparence/icone-pleine.svg").content
    wear(administrator, no_arms="on")
    assert client.get("/apparence/armes").status_code == 404


@pytest.mark.django_db
def test_a_file_that_is_no_picture_is_refused_beside_the_form(
    small_town: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    answer = wear(signed_in(Role.ADMINISTRATOR), arms=SimpleUploadedFile("armes.svg", b"bonjour"), colour="#f0c000")
    assert answer.status_code == 400
    assert "ni un SVG ni un PNG" in answer.content.decode()
    assert "commune.css" not in client.get("/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["libre", "pleine"])
def test_the_icon_is_the_belfry_when_there_are_no_arms(small_town: str, client: Client, shape: str) -> None:
    icon = client.get(f"/apparence/icone-{shape}.svg")
    assert icon.status_code == 200
    assert b"<image" not in icon.content


@pytest.mark.django_db
def test_an_agent_does_not_dress_the_commune(small_town: str, signed_in: Callable[..., Client]) -> None:
    assert wear(signed_in(Role.AGENT), colour="#f0c000").status_code == 403
