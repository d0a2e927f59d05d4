"""Looking at an episode: a web page that needs nothing else, or a recording for rerun."""
