"""What one asks every day of an address: which bin goes out, what is served, what is open."""
