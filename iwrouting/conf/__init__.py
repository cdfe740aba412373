"""What the deployment is told: typed settings, the environment layer, secrets by reference."""

from __future__ import annotations

from iwrouting.conf.environment import read_environment
from iwrouting.conf.settings import Settings, SettingsError, load, settings

__all__ = ["Settings", "SettingsError", "load", "read_environment", "settings"]
