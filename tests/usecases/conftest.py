"""The small town is there for the use cases that are tested end to end, and its site for a real browser."""

from alert_makers import alert_town
from faces.browser.conftest import chromium, site, site_of_the_day, visit
from faces.portal.reports.conftest import reporting_town
from faces.portal.town_fixtures import signed_in, small_lake, small_town
from usecases.directories_town import directories_lake, directories_town, signed_acts
from usecases.indicators_town import indicators_lake, indicators_town
from usecases.layers_town import layers_lake, layers_town
from usecases.slots_town import slots_town

__all__ = [
    "alert_town",
    "chromium",
    "directories_lake",
    "directories_town",
    "indicators_lake",
    "indicators_town",
    "layers_lake",
    "layers_town",
    "reporting_town",
    "signed_acts",
    "signed_in",
    "site",
    "site_of_the_day",
    "slots_town",
    "small_lake",
    "small_town",
    "visit",
]
