"""Buses and trams: what a GTFS feed promises, what GTFS-RT corrects, and the next departures at a stop."""
