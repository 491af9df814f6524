"""The pages of declared indicators: one sheet for each use case, its map, its file, its yearly review."""
