"""What to decide from: indicators said by data, each with its method, its source, its trend and its comparison."""
