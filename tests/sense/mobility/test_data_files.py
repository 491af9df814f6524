"""The data files of mobility read, say their sources, and explain what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from beffroi.base.kernel.resources import shipped_folder
from beffroi.sense.mobility.obstacles import BadObstacle, obstacle_kinds, read_kinds
from beffroi.sense.mobility.profiles import BadAdjustment, BadProfile, load_profiles, profile_named, read_profile
from beffroi.sense.mobility.recipes import BadRecipe, read_recipe, recipes

GOOD = """
title = "Essai"
plain = "J'essaie"
mode = "foot"
order = 1
[speed]
kmh = 4
[sources]
speed = "moi"
"""

STEPS = "".join(f"[[slope]]\nupto_pct = {most}\nspeed = 1\ncost = 1\n" for most in (4, 2))


def test_every_shipped_file_reads() -> None:
    found, problems = load_profiles()
    assert not problems
    assert list(found)[:3] == ["a-pied", "fauteuil-manuel", "fauteuil-electrique"]
    assert len(found) == len(list((shipped_folder("mobility") / "profiles").glob("*.toml"))) == 11
    assert {one.name for one in recipes()} == {"bdtopo", "cnig", "montpellier"}
    assert obstacle_kinds()["rue-fermee"].closes == set(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("kmh", "kmph"), "speed.kmph : clé inconnue ; vouliez-vous « kmh » ?"),
        (GOOD.replace('mode = "foot"', 'mode = "pied"'), "mode : valeur « pied » inconnue"),
        (GOOD.replace('plain = "J\'essaie"\n', ""), "plain : absent"),
        (GOOD.replace('speed = "moi"', ""), "speed : chiffres sans source"),
        (GOOD.replace("kmh = 4", 'kmh = "4"'), "speed.kmh : un nombre positif est attendu"),
        (GOOD.replace("kmh = 4", "junction_s = 4"), "speed : aucune vitesse"),
        (GOOD + STEPS, "slope : marches illisibles"),
        (GOOD.replace("[sources]", "[surface]\nsand = 2\n[sources]\nsurface = 'moi'"), "surface.sand : valeur"),
        (GOOD.replace("[sources]", "[unknown]\nwidth = 0.5\n[sources]\nunknown = 'moi'"), "unknown : facteur"),
        (GOOD + "[[[", "TOML illisible"),
    ],
)  # fmt: skip
def test_a_profile_that_does_not_read_says_why(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "essai.toml"
    if "slope" in said:
        text = text.replace('speed = "moi"', 'speed = "moi"\nslope = "moi"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadProfile) as caught:
        read_profile(path)
    assert str(caught.value).startswith(f"profiles/essai.toml : {said}")


def test_the_good_one_reads(tmp_path: Path) -> None:
    path = tmp_path / "essai.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_profile(path).kmh == 4


def test_an_adjustment_keeps_within_its_bounds() -> None:
    wheelchair = profile_named("fauteuil-manuel")
    assert wheelchair.adjusted(max_slope_pct=6).max_slope_pct == 6
    with pytest.raises(BadAdjustment, match="hors des bornes"):
        wheelchair.adjusted(max_slope_pct=40)
    with pytest.raises(BadAdjustment, match="pas ce réglage"):
        profile_named("voiture").adjusted(max_kerb_cm=3)
    with pytest.raises(BadAdjustment, match="escaliers"):
        wheelchair.adjusted(stairs=True)


def test_a_recipe_or_a_kind_that_does_not_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "ici.toml"
    path.write_text('title = "t"\ndataset = "rues"\n[columns]\n[kinds]\n"Rue" = "boulevard"\n', encoding="utf-8")
    with pytest.raises(BadRecipe, match="boulevard"):
        read_recipe(path)
    path.write_text('title = "t"\ndataset = "("\n[columns]\n', encoding="utf-8")
    with pytest.raises(BadRecipe, match="motif"):
        read_recipe(path)
    path.write_text('[kinds.trou]\ntitle = "Trou"\nclose = ["trottinette"]\n', encoding="utf-8")
    with pytest.raises(BadObstacle, match="ni un profil ni un groupe"):
        read_kinds(path)
