"""`/api/v1/usage`: what was used, by what is asked, in any zone."""
