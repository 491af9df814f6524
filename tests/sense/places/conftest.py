"""The small town, for what is found in it."""

from faces.portal.town_fixtures import signed_in, small_lake, small_town

__all__ = ["signed_in", "small_lake", "small_town"]
