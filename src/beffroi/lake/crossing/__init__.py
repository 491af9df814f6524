"""Datasets filtered, joined and summed up by an agent, without a line of SQL from her browser (5-14)."""
