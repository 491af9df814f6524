"""A broken rule file says file, key, reason and remedy; the rest is served."""

from __future__ import annotations

import pytest

from beffroi.base.clock.rules import load_rules

SOUND = """
title = "Essai"
domain = "essai"
[[rule]]
id = "essai.un"
title = "Un jour"
starts = "aujourd'hui"
[[rule.version]]
from = 2020-01-01
amount = 1
unit = "day"
article = "Usage"
"""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            SOUND.replace("article", "artcile"),
            "rule[1].version[1].artcile : clé inconnue ; vouliez-vous dire « article »",
        ),
        (SOUND.replace('article = "Usage"', ""), "rule[1].version[1].article : clé requise absente ; ajoutez-la"),
        (
            SOUND.replace('"day"', '"dya"'),
            "rule[1].version[1].unit : valeur « dya » inconnue ; vouliez-vous dire « day »",
        ),
        (SOUND.replace("amount = 1", "amount = 0"), "rule[1].version[1].amount : un délai dure au moins 1"),
        (SOUND.replace("amount = 1", "amount = true"), "valeur « True » : un nombre entier est attendu"),
        (SOUND.replace("2020-01-01", '"2020"'), "valeur « 2020 » : une date est attendu"),
        (SOUND + "extends = [", "TOML illisible"),
        (SOUND.replace("[[rule.version]]", "[rule.version]"), "une liste est attendu"),
    ],
)
def test_a_broken_file_is_told_and_left_out(tmp_path, content, told):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "casse.toml").write_text(content)
    (folder / "sain.toml").write_text(SOUND.replace("essai.un", "essai.deux"))
    book = load_rules([folder])
    [problem] = book.problems
    assert str(problem).startswith("rules/casse.toml")
    assert told in str(problem)
    assert list(book.rules) == ["essai.deux"]


def test_a_file_that_is_not_utf8_is_told(tmp_path):
    (tmp_path / "latin.toml").write_bytes("title = 'été'".encode("latin-1"))
    assert "pas en UTF-8" in str(load_rules([tmp_path]).problems[0])


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    (tmp_path / "a.toml").write_text(SOUND.replace("[[rule.version]]", 'request = "essai.uun"\n[[rule.version]]'))
    assert "vouliez-vous dire « essai.un »" in str(load_rules([tmp_path]).problems[0])


@pytest.mark.parametrize(
    ("holiday", "told"),
    [
        ('day = "02-30"', "jour « 02-30 » impossible"),
        ('day = "07-14"\neaster = 1', "ni jour ni Pâques, ou les deux"),
        ('day = "07-14"\nregions = ["metropol"]', "vouliez-vous dire « metropole »"),
    ],
)
def test_a_broken_holiday_is_told(tmp_path, holiday, told):
    folder = tmp_path / "calendrier"
    folder.mkdir()
    (folder / "regions.toml").write_text('[[region]]\nid = "metropole"\nname = "M"\ntimezone = "Europe/Paris"\n')
    regions = "" if "regions" in holiday else 'regions = ["*"]\n'
    (folder / "jours.toml").write_text(
        f'[[holiday]]\nid = "x"\nname = "X"\narticle = "Y"\nfrom = 2020-01-01\n{regions}{holiday}\n'
    )
    assert told in str(load_rules([tmp_path]).problems[0])


def test_an_unknown_time_zone_is_told(tmp_path):
    folder = tmp_path / "calendrier"
    folder.mkdir()
    (folder / "regions.toml").write_text('[[region]]\nid = "m"\nname = "M"\ntimezone = "Europe/Pari"\n')
    assert "fuseau « Europe/Pari » inconnu" in str(load_rules([tmp_path]).problems[0])


def test_a_town_may_replace_a_rule_by_its_own(tmp_path):
    for name, amount in (("shipped", 1), ("town", 9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.toml").write_text(SOUND.replace("amount = 1", f"amount = {amount}"))
    book = load_rules([tmp_path / "shipped", tmp_path / "town"])
    assert book.rules["essai.un"].versions[0].amount == 9
