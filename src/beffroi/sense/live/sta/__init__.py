"""OGC SensorThings API 1.1 over the things of this room, HTTP apart: what is asked, what is answered, what is sent."""
