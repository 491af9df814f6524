"""How many people are within so many minutes of a kind of place, where, of what age, and who is not."""
