"""Storms: the real service on a real database, under random load and random faults, judged by three ledgers."""
