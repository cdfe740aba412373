"""URLs of the full stack: admin and management API. The lean routes stand in `config/urls_lean.py`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from iwrouting.api.management.views import AliasesView, DecisionView, ProjectView
from iwrouting.api.management.what_if import WhatIfView
from iwrouting.api.metrics.view import Metrics
from iwrouting.api.schema.pages import Docs, Schema

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index", http_method_names=["get", "head"]), name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/decisions/<str:decision_id>", DecisionView.as_view(), name="decision"),
    path("api/v1/aliases", AliasesView.as_view(), name="aliases"),
    path("api/v1/projects/<path:external_id>", ProjectView.as_view(), name="project"),
    path("api/v1/whatif", WhatIfView.as_view(), name="what-if"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("api/schema", Schema.as_view(), name="schema"),
    path("api/docs", Docs.as_view(), name="docs"),
]

handler400 = "iwrouting.api.pages.bad_request"
handler404 = "iwrouting.api.pages.not_found"
handler500 = "iwrouting.api.pages.server_error"
