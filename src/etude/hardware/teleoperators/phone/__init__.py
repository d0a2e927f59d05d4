"""A phone drives an arm, by a page that is served here."""
