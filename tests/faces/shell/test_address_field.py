"""The address field: what it takes for granted, what it looks for, what it asks to choose."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms

from beffroi.faces.shell.addresses import Address, AddressField, nearest_label
from faces.portal.small_town import CODE, NAME

pytestmark = pytest.mark.django_db


class WhereForm(forms.Form):
    where = AddressField(label="Où ?", citycode=CODE)


def sent(**values: str) -> WhereForm:
    return WhereForm({name.replace("where__", "where_"): value for name, value in values.items()})


def test_the_place_the_page_found_is_kept(small_town: str) -> None:
    form = sent(where="Près du lavoir", where_label="Près du lavoir", where_lon="3.004", where_lat="45.009")
    assert form.is_valid()
    assert form.cleaned_data["where"] == Address("Près du lavoir", 3.004, 45.009)


def test_a_text_changed_since_is_looked_for_again(small_town: str) -> None:
    form = sent(where="12 grande rue", where_label="1 Rue du Beffroi", where_lon="3", where_lat="45")
    assert form.is_valid(), form.errors
    assert form.cleaned_data["where"].label == f"12 Grande Rue 00100 {NAME}"
    assert form.cleaned_data["where"].id == "00001_0000_00012"


@pytest.mark.parametrize("place", [("nan", "45"), ("inf", "45"), ("3", "91"), ("", ""), ("trois", "45")])
def test_a_place_that_is_none_is_looked_for_instead(place: tuple[str, str], small_town: str) -> None:
    form = sent(where="12 grande rue", where_label="12 grande rue", where_lon=place[0], where_lat=place[1])
    assert form.is_valid()
    assert form.cleaned_data["where"].lon == 3.0032


def test_several_addresses_are_proposed_and_one_is_chosen(small_town: str) -> None:
    form = sent(where="rue")
    assert form.errors["where"] == ["Plusieurs adresses correspondent : choisissez la vôtre."]
    page = str(form["where"])
    label = f"Rue du Beffroi 00100 {NAME}"
    assert page.count('type="radio"') == 3
    assert f'value="{label}"' in page
    assert 'value="rue"' in page
    chosen = sent(where="rue", where_choice=label)
    assert chosen.is_valid(), chosen.errors
    assert chosen.cleaned_data["where"].label == label
    # The form of the next reader proposes nothing.
    assert 'type="radio"' not in str(WhereForm()["where"])


def test_an_address_unknown_here_says_what_to_do_and_keeps_the_text(small_town: str) -> None:
    form = sent(where="Quai des Brumes")
    assert "rue voisine" in form.errors["where"][0]
    assert 'value="Quai des Brumes"' in str(form["where"])


def test_an_empty_field_is_refused_or_nothing(small_town: str) -> None:
    assert sent(where="").errors["where"]
    assert AddressField(required=False).clean("") is None


def test_an_initial_address_is_shown_with_its_place(small_town: str) -> None:
    page = str(WhereForm(initial={"where": Address("Ici", 3.1, 45.2)})["where"])
    assert all(f'value="{value}"' in page for value in ("Ici", "3.1", "45.2"))


def test_a_point_of_the_map_is_named(small_town: str, settings: Any) -> None:
    assert nearest_label(3.0103, 45.0021) == f"3 Rue du Beffroi 00100 {NAME}"
    assert nearest_label(1.5, 44.25) == "Point 44.25000, 1.50000"
