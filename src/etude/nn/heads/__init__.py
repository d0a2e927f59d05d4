"""Ways to learn and to make chunks of actions; pure, and unaware of any network."""
