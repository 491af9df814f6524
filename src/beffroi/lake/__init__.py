"""WHAT THE TOWN KNOWS: sources, connectors, immutable versions, tiles, queries, downloads."""
