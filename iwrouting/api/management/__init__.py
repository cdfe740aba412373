"""The management API on the stock stack: `/api/v1/decisions`, `/api/v1/aliases` and `/api/v1/projects`."""
