"""The admin: one module a topic. `site.py` registers them all."""
