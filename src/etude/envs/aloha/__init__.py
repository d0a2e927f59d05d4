"""Two arms at a table: the simulated tasks of ALOHA."""
