"""The OpenAPI document of all routes, lean ones too, and the pages that show it."""
