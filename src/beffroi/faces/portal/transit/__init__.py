"""Buses and trams on the portal: search a stop, its next departures, its lines, its incidents, the map of lines."""
