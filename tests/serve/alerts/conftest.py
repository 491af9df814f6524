"""The town where alerts are open."""

from alert_makers import alert_town

__all__ = ["alert_town"]
