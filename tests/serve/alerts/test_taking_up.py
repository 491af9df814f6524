"""From the registry of before the room: the zone alerts that reports kept go on where alerts are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely

from beffroi.config.migrating import NotedWithin

BEFORE = [("reports", "0006_obstacle_rules_and_alerts"), ("alerts", "0001_initial")]
AFTER = [("reports", "0007_alerts_have_their_room"), ("alerts", "0002_take_up_zone_alerts")]
AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
ZONE = shapely.box(3.0, 45.0, 3.01, 45.01)


@pytest.mark.slow
def test_a_zone_alert_raised_before_goes_on_to_its_hour(aside: Any) -> None:
    apps = NotedWithin(aside).migrate(BEFORE).apps
    case = apps.get_model("cases", "Case").objects.using("aside").create(
        territory="00001", kind="report", category="pollution", service="voirie", opened_at=AT, changed_at=AT
    )  # fmt: skip
    report = apps.get_model("reports", "Report").objects.using("aside").create(
        case_id=case.pk, use_case="1-05", lon=3.0, lat=45.0, cell=1
    )  # fmt: skip
    west, south, east, north = ZONE.bounds
    apps.get_model("reports", "ZoneAlert").objects.using("aside").create(
        territory="00001", report_id=report.pk, title="Fuite de gazole", text="Évitez le quai.", severity="severe",
        zone_wkb=shapely.to_wkb(ZONE), west=west, south=south, east=east, north=north,
        raised_at=AT, until=AT + timedelta(hours=6),
    )  # fmt: skip

    apps = NotedWithin(aside).migrate(AFTER).apps

    [alert] = apps.get_model("alerts", "Alert").objects.using("aside").all()
    assert (alert.state, alert.until, alert.sent_at) == ("live", AT + timedelta(hours=6), AT)
    assert alert.issued["title"] == "Fuite de gazole"
    assert alert.issued["severity"] == "Severe"
    assert shapely.from_geojson(alert.issued["zone"]).equals(ZONE)
    assert [one.kind for one in apps.get_model("alerts", "Issue").objects.using("aside").all()] == ["alert"]
    # Nobody is told again of what was told.
    assert not apps.get_model("alerts", "Delivery").objects.using("aside").exists()
    assert "reports_zonealert" not in aside.introspection.table_names()
