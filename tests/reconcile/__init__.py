"""Reconciling three ledgers: each finding on both databases, files of all kinds, and random edits."""
