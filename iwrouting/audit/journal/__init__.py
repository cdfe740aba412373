"""Where rows stay that the database does not take, and their way back into it."""
