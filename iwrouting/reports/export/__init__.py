"""Decisions, attempts, fallbacks and changes as plain rows: which ones are asked for, and how they stand in a file."""
