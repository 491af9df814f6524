"""Unfit housing by block, for its service alone; what of it the public is told is published by an act."""
