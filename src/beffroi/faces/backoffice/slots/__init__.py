"""The agents' pages of what is booked by the hour."""
