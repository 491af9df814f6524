"""What people find: services, places, addresses, dates and papers, by words or by nearness."""
