"""The first tables."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("territory", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Obstacle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("territory", models.CharField(max_length=20)),
                ("subject", models.CharField(max_length=200, unique=True)),
                ("kind", models.CharField(max_length=40)),
                ("label", models.CharField(blank=True, max_length=200)),
                ("lon", models.FloatField()),
                ("lat", models.FloatField()),
                ("radius_m", models.FloatField()),
                ("starts_at", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["territory", "ended_at", "until"], name="obstacle_live")],
            },
        ),
    ]
