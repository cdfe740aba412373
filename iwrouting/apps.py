"""Django's app registry entries."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class RoutingConfig(AppConfig):
    """The one app of the product."""

    name = "iwrouting"
    verbose_name = "Routing"

    def ready(self) -> None:
        """Keep the reporting views in step with the tables, and have every change of the configuration validated."""
        from iwrouting.models.changing import connect_check
        from iwrouting.planning.validating import validate
        from iwrouting.reports import connect_views

        connect_views()
        connect_check(validate)


class AdminConfig(DjangoAdminConfig):
    """Django's admin with the product's own site."""

    default_site = "iwrouting.admin.site.Site"
