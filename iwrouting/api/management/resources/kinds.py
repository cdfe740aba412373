"""The views of every kind of rows, described for the OpenAPI document."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_view

from iwrouting.api.management.resources import examples, more_examples
from iwrouting.api.management.resources.aliases import Aliases
from iwrouting.api.management.resources.catalogue import Models, Prices
from iwrouting.api.management.resources.document import Described
from iwrouting.api.management.resources.keys import Keys
from iwrouting.api.management.resources.overrides import Overrides
from iwrouting.api.management.resources.projects import Projects
from iwrouting.api.management.resources.upstreams import Upstreams
from iwrouting.api.management.resources.views import RowDetail, RowList

ALIASES = Described(Aliases(), examples.ALIAS)
OVERRIDES = Described(Overrides(), examples.OVERRIDE)
PROJECTS = Described(Projects(), examples.PROJECT, "external_id")
MODELS = Described(Models(), more_examples.MODEL)
UPSTREAMS = Described(Upstreams(), examples.UPSTREAM)
PRICES = Described(Prices(), more_examples.PRICE)
KEYS = Described(Keys(), more_examples.KEY)


def _list(told: Described) -> type[RowList]:
    """The list of a kind."""
    view = type(f"{type(told.resource).__name__}View", (RowList,), {"resource": told.resource})
    return extend_schema_view(get=told.listed(), post=told.created())(view)


def _detail(told: Described, *methods: str) -> type[RowDetail]:
    """One row of a kind; `methods` that it takes beside GET, and HEAD."""
    ways = {"patch": told.changed, "put": told.replaced, "delete": told.archived}
    names = {"resource": told.resource, "http_method_names": ["get", "head", *methods]}
    view = type(f"{type(told.resource).__name__}DetailView", (RowDetail,), names)
    return extend_schema_view(get=told.read(), **{name: ways[name]() for name in methods})(view)


EVERY = ("patch", "put", "delete")
AliasView = _detail(ALIASES, *EVERY)
OverridesView, OverrideView = _list(OVERRIDES), _detail(OVERRIDES, *EVERY)
ProjectsView = _list(PROJECTS)
ModelsView, ModelView = _list(MODELS), _detail(MODELS, *EVERY)
UpstreamsView, UpstreamView = _list(UPSTREAMS), _detail(UPSTREAMS, *EVERY)
PricesView, PriceView = _list(PRICES), _detail(PRICES, "delete")
KeysView, KeyView = _list(KEYS), _detail(KEYS, "patch", "delete")
