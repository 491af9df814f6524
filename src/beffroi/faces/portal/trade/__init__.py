"""The pages of how shops fare (10-09): what a shop says of itself, and groups of shops for those who work on it."""
