"""iwrouting: decides which model serves each call, makes the call, and proves afterwards what was decided."""

__version__ = "0.1.0"
