"""Readers of the formats publishers use: a source file in, a Reading out. No Django."""
