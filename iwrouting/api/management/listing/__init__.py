"""The list of decisions: by filters and cursor, as JSON, lines of JSON or a sheet."""
