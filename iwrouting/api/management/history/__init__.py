"""The change list, the revisions, and what a stored decision comes to when it is resolved again."""
