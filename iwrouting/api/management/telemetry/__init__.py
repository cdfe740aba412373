"""`/api/v1/telemetry`: what the backend counted for itself, and since when a key wants it counted."""
