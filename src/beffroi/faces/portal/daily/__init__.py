"""The page of every day at an address (6-03)."""
