"""The configuration's rows in the management API: one file per kind, and what all kinds share."""
