"""The floor that acts for people: each room takes requests of one kind, on the common life that `cases` gives them."""
