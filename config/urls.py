"""URLs of the full stack: admin and management API. The lean routes stand in `config/urls_lean.py`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from iwrouting.api.management.history import views as history
from iwrouting.api.management.listing.views import DecisionsView
from iwrouting.api.management.resources import kinds
from iwrouting.api.management.resources.rotating import RotateView
from iwrouting.api.management.telemetry.views import ResetView, TelemetryView
from iwrouting.api.management.usage.views import UsageView
from iwrouting.api.management.views import AliasesView, DecisionView, ProjectView
from iwrouting.api.management.what_if import WhatIfView
from iwrouting.api.metrics.view import Metrics
from iwrouting.api.schema.pages import Docs, Schema

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index", http_method_names=["get", "head"]), name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/decisions", DecisionsView.as_view(), name="decisions"),
    path("api/v1/decisions/<str:decision_id>", DecisionView.as_view(), name="decision"),
    path("api/v1/decisions/<str:decision_id>/again", history.DecisionAgainView.as_view(), name="decision-again"),
    path("api/v1/usage", UsageView.as_view(), name="usage"),
    path("api/v1/aliases", AliasesView.as_view(), name="aliases"),
    path("api/v1/aliases/<str:name>", kinds.AliasView.as_view(), name="alias"),
    path("api/v1/overrides", kinds.OverridesView.as_view(), name="overrides"),
    path("api/v1/overrides/<str:name>", kinds.OverrideView.as_view(), name="override"),
    path("api/v1/projects", kinds.ProjectsView.as_view(), name="projects"),
    path("api/v1/projects/<path:external_id>", ProjectView.as_view(), name="project"),
    path("api/v1/whatif", WhatIfView.as_view(), name="what-if"),
    path("api/v1/models", kinds.ModelsView.as_view(), name="catalogue-models"),
    path("api/v1/models/<path:name>", kinds.ModelView.as_view(), name="catalogue-model"),
    path("api/v1/upstreams", kinds.UpstreamsView.as_view(), name="upstreams"),
    path("api/v1/upstreams/<str:name>", kinds.UpstreamView.as_view(), name="upstream"),
    path("api/v1/prices", kinds.PricesView.as_view(), name="prices"),
    path("api/v1/prices/<str:name>", kinds.PriceView.as_view(), name="price"),
    path("api/v1/keys", kinds.KeysView.as_view(), name="keys"),
    path("api/v1/keys/<str:name>", kinds.KeyView.as_view(), name="key"),
    path("api/v1/keys/<str:name>/rotate", RotateView.as_view(), name="key-rotate"),
    path("api/v1/revisions", history.RevisionsView.as_view(), name="revisions"),
    path("api/v1/revisions/<str:name>", history.RevisionView.as_view(), name="revision"),
    path("api/v1/changes", history.ChangesView.as_view(), name="changes"),
    path("api/v1/changes/<str:name>", history.ChangeView.as_view(), name="change"),
    path("api/v1/telemetry", TelemetryView.as_view(), name="telemetry"),
    path("api/v1/telemetry/reset", ResetView.as_view(), name="telemetry-reset"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path("api/schema", Schema.as_view(), name="schema"),
    path("api/docs", Docs.as_view(), name="docs"),
]

handler400 = "iwrouting.api.pages.bad_request"
handler404 = "iwrouting.api.pages.not_found"
handler500 = "iwrouting.api.pages.server_error"
