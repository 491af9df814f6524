"""What residents see of reports: to send one, to follow it, to read what others sent."""
