"""What the networks of transport tell of the moment."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mobility", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="LiveMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("territory", models.CharField(max_length=20)),
                ("feed", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=20)),
                ("address", models.TextField(blank=True)),
                ("content", models.BinaryField(default=b"")),
                ("number", models.BigIntegerField(default=0)),
                ("etag", models.TextField(blank=True)),
                ("modified", models.TextField(blank=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("fetched_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("problem", models.JSONField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("territory", "feed", "kind"), name="live_message_once")
                ],
            },
        ),
    ]
