"""The chains of hashes, the seals, and their verification (docs/tamper.md)."""
