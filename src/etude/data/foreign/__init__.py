"""What the formats of other projects share: names, options and a dataset put together from what a format finds."""
