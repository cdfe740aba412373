"""Bundles: a configuration as a file of YAML, and back (docs/gitops.md). No API keys and no secrets."""

from __future__ import annotations

from iwrouting.planning.bundles.faults import BundleFault, BundleRefused
from iwrouting.planning.bundles.planning import BundlePlan, plan_bundle
from iwrouting.planning.bundles.reading import Bundle, read_bundle
from iwrouting.planning.bundles.writing import write_bundle

__all__ = ["Bundle", "BundleFault", "BundlePlan", "BundleRefused", "plan_bundle", "read_bundle", "write_bundle"]
