"""Open311 GeoReport v2 under `/open311/`: other systems read the town's public reports and send theirs."""
