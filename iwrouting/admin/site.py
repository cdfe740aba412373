"""The admin site."""

from __future__ import annotations

from django.contrib.admin import AdminSite


class Site(AdminSite):
    """Django's admin under the product's name."""

    site_header = "iwrouting"
    site_title = "iwrouting"
    index_title = "Overview"
