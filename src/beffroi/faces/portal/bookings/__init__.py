"""Pages of what can be booked: the list, a thing and its free days, one's booking."""
