"""WHO and WHERE: communes, groupings, zones, people, roles, keys."""
