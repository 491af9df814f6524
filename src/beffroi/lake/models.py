"""The lake keeps its facts in files, not in the registry; only uploads awaiting approval are rows."""
