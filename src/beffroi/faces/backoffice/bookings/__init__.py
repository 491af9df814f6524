"""The agents' pages of what is booked: loads, the list of the crew, one booking, figures."""
