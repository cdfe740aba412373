"""What dead processes left: their journals and their open decisions (docs/processes.md)."""
