"""The client against a service on loopback that plays the real one's part."""

from __future__ import annotations
