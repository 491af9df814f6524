"""What residents read of alerts, and how they are told of the next ones."""
