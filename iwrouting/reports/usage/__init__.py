"""Usage in cells by quarter of an hour, hour and day, kept exactly what the raw rows are (docs/reporting.md)."""
