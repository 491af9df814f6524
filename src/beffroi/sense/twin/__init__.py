"""What the town looks like: its buildings in space and in time, what was done to them and what state they are in."""
