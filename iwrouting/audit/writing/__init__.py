"""The writer: batches, their numbers, the two databases, and what neither takes."""
