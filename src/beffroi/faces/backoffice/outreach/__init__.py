"""`/agent/maraudes/`: rounds over needs, from the call that comes in to the note of the passage."""
