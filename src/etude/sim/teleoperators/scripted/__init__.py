"""A demonstrator that needs no person: it drives the simulated arm through the task."""
