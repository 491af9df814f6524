"""Each shipped tariff gives the price of each of its examples; a broken one says what, where, and how to mend it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from beffroi.base.clock import queries
from beffroi.base.clock.rules import load_rules
from beffroi.base.clock.tariffs import Tariff, TariffExample

SOUND = """
title = "Essai"
domain = "essai"
[[tariff]]
id = "essai.prix"
title = "Un prix"
unit = "repas"
basis = "quotient"
[[tariff.version]]
from = 2020-01-01
article = "Usage"
bands = [{ below = 400, cents = 95 }, { cents = 490 }]
"""


@pytest.mark.parametrize(
    ("tariff", "example"), [pytest.param(one, each, id=one.id) for one in queries.tariffs() for each in one.examples]
)
def test_every_example_holds(tariff: Tariff, example: TariffExample) -> None:
    price = tariff.price(example.on, euros=example.euros, children=example.children, outside=example.outside)
    assert price.cents == example.cents
    assert price.steps
    assert price.article


def test_every_tariff_is_shown_by_an_example() -> None:
    assert queries.tariffs()
    assert all(one.examples for one in queries.tariffs())


def test_a_tariff_has_no_price_before_its_first_day() -> None:
    with pytest.raises(queries.NoTariff, match="n’avait pas de prix le 2001-01-01"):
        queries.tariff("enfance.cantine").price(date(2001, 1, 1), euros=0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (SOUND.replace(", { cents = 490 }", ""), "version[1].bands : les tranches ne couvrent pas tout"),
        (SOUND.replace('"quotient"', '"quotien"'), "valeur « quotien » inconnue ; vouliez-vous dire « quotient »"),
        (SOUND.replace('"quotient"', '"resources"'), "version[1].rates : taux absents"),
        (SOUND.replace("cents = 95", "cent = 95"), "bands[1].cent : clé inconnue ; vouliez-vous dire « cents »"),
    ],
)
def test_a_broken_tariff_is_told_and_left_out(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "casse.toml").write_text(content)
    book = load_rules([tmp_path])
    [problem] = book.problems
    assert told in str(problem)
    assert not book.tariffs
