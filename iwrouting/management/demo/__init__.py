"""`manage.py demo`: a database with something on every screen, made by calls at the sandbox, never at a provider."""
