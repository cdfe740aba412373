"""The process: ASGI wrapper, lean handler, worker and supervisor."""
