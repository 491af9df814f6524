"""The small town is there for the tests of what an agent approves."""

from faces.portal.town_fixtures import signed_in, small_lake, small_town

__all__ = ["signed_in", "small_lake", "small_town"]
