"""Homes that leak heat (7-15): the labels that are known, those that are only estimated, and what the rule is worth."""
