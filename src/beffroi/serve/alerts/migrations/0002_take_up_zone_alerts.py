"""Take up the zone alerts that reports kept until there was a room for them: those in force go on, to their hour."""

from __future__ import annotations

from typing import Any

import shapely
from django.db import migrations


def take_up(apps: Any, schema: Any) -> None:
    """Copy each alert as it was sent; nobody is told twice: nothing is owed for it."""
    registry = schema.connection.alias
    alerts = apps.get_model("alerts", "Alert").objects.using(registry)
    issues = apps.get_model("alerts", "Issue").objects.using(registry)
    from beffroi.serve.cases.numbers import number_of

    for old in apps.get_model("reports", "ZoneAlert").objects.using(registry).order_by("pk"):
        shape = shapely.from_wkb(bytes(old.zone_wkb))
        content = {
            "title": old.title, "text": old.text, "topic": "signalement", "category": "Safety",
            "severity": old.severity.capitalize(), "urgency": "Immediate", "certainty": "Observed", "area": "zone",
            "zone": str(shapely.to_geojson(shape)), "until": old.until.isoformat(),
        }  # fmt: skip
        row = alerts.create(
            territory=old.territory, content=content, issued=content, state="live", rank=1, made_at=old.raised_at,
            changed_at=old.raised_at, sent_at=old.raised_at, until=old.until, origin=f"zone:{old.pk}",
            report=number_of(old.report_id), west=old.west, south=old.south, east=old.east, north=old.north,
        )  # fmt: skip
        issues.create(alert=row, rank=1, kind="alert", content=content, sent_at=old.raised_at)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial"), ("reports", "0006_obstacle_rules_and_alerts")]

    operations = [migrations.RunPython(take_up, migrations.RunPython.noop)]
