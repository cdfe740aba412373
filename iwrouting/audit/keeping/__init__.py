"""Months made ahead, and months removed (docs/operations.md)."""
