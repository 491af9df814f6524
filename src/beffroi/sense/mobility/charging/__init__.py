"""Charging points of electric vehicles: what they are (IRVE static), and whether one is free now (IRVE dynamic)."""
