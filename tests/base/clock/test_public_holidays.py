"""Public holidays against a second source: the `holidays` library, every region, 1990 to 2060."""

from __future__ import annotations

from datetime import date, datetime

import holidays as second_source
import pytest

from beffroi.base.clock import queries
from beffroi.base.clock.holidays import easter_sunday

SUBDIVISIONS = {
    "metropole": [None],
    "alsace-moselle": ["57", "6AE"],
    "guadeloupe": ["971"],
    "martinique": ["972"],
    "guyane": ["973"],
    "la-reunion": ["974"],
    "saint-pierre-et-miquelon": ["PM"],
    "mayotte": ["976"],
    "saint-barthelemy": ["BL"],
    "saint-martin": ["MF"],
    "wallis-et-futuna": ["WF"],
    "polynesie-francaise": ["PF"],
    "nouvelle-caledonie": ["NC"],
}
# The library takes Whit Monday away while it was the default day of solidarity; the list of legal holidays kept it.
SOLIDARITY = {date(2005, 5, 16), date(2006, 6, 5), date(2007, 5, 28)}
PAIRS = [(region, code) for region, codes in SUBDIVISIONS.items() for code in codes]


def test_every_region_is_checked():
    assert {region.id for region in queries.regions()} == set(SUBDIVISIONS)


@pytest.mark.parametrize(("region", "code"), PAIRS)
def test_holidays_agree_with_the_second_source(region, code):
    years = range(1990, 2061)
    ours = {h.day for year in years for h in queries.public_holidays(year, region, with_customs=True)}
    theirs = set(second_source.country_holidays("FR", subdiv=code, years=years))
    assert ours - theirs == SOLIDARITY
    assert theirs - ours == set()


@pytest.mark.parametrize("year", range(1990, 2061))
def test_easter_agrees_with_the_second_source(year):
    from dateutil.easter import easter

    assert easter_sunday(year) == easter(year)


def test_a_custom_is_no_legal_holiday():
    mi_careme = date(2026, 3, 12)
    assert queries.holiday_on(mi_careme, "guadeloupe") is None
    customs = queries.public_holidays(2026, "guadeloupe", with_customs=True)
    assert [h.name for h in customs if h.day == mi_careme] == ["Mi-Carême"]
    assert queries.is_working_day(mi_careme, "guadeloupe")


def test_each_holiday_names_its_text():
    texts = {h.article for region in SUBDIVISIONS for h in queries.public_holidays(2026, region)}
    assert "Code du travail, art. L3134-13" in texts
    assert "" not in texts


@pytest.mark.parametrize(
    ("insee", "region", "winter_offset_h"),
    [
        ("34172", "metropole", 1),
        ("67482", "alsace-moselle", 1),
        ("57463", "alsace-moselle", 1),
        ("97105", "guadeloupe", -4),
        ("97302", "guyane", -3),
        ("97411", "la-reunion", 4),
        ("97608", "mayotte", 3),
        ("97502", "saint-pierre-et-miquelon", -3),
        ("97701", "saint-barthelemy", -4),
        ("98735", "polynesie-francaise", -10),
        ("98818", "nouvelle-caledonie", 11),
    ],
)
def test_a_commune_has_the_holidays_and_the_hour_of_its_region(insee, region, winter_offset_h):
    assert queries.region_of(insee).id == region
    offset = datetime(2026, 1, 15, 12, tzinfo=queries.timezone_of(insee)).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == winter_offset_h * 3600


def test_saturdays_are_ouvrables_and_not_ouvres():
    saturday = date(2026, 11, 28)
    assert not queries.is_working_day(saturday)
    assert queries.is_working_day(saturday, calendar=queries.OUVRABLES)
    assert not queries.is_working_day(date(2026, 8, 15), calendar=queries.OUVRABLES)


def test_an_unknown_region_is_told_with_the_nearest():
    with pytest.raises(queries.UnknownRegion, match="vouliez-vous dire « alsace-moselle »"):
        queries.public_holidays(2026, "alsace-mosele")
