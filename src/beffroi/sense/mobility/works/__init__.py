"""Works: streets closed for a time, what that does to trips, scenarios compared, then published."""
