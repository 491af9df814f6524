"""A fictional town, complete and plausible, written as the national formats give real ones. Knows no Django.

The same population and seed give the same files, byte for byte.
"""

from beffroi.lake.town.generator import Town, TownFile, read_town, write_town
from beffroi.lake.town.plan import BadPopulation

__all__ = ["BadPopulation", "Town", "TownFile", "read_town", "write_town"]
