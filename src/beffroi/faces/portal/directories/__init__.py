"""`/annuaires/`: directories, each from its table in a use case: search, facets, list and map, sheets, feed, paper."""
