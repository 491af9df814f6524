"""What do people see in town, and what becomes of it? Reports, obstacles, animals, work orders and contract visits."""
