"""What a family owes the town: its bills, their paper, and the way to pay them."""
