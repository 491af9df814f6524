"""A directory: things told on sheets that one searches by words, sorts out by facets, and finds near home."""
