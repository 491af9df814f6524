"""Reports under load: how many a second, none lost when the web is killed, quick among 200,000, deaf to noise."""
