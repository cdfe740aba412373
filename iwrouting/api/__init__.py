"""REST: the lean routes (`/v1`, resolve, health) and the management API."""
