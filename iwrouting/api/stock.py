"""The base of the management API's views, apart from the authority table: DRF's settings name that one at import."""

from __future__ import annotations

from rest_framework.views import APIView


class StockView(APIView):
    """Base of the views on the stock stack."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Without DRF's own Allow, which goes by the view's methods and not by the table."""
        return {"Vary": "Accept"}
