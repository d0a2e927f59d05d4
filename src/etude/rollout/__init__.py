"""The one control loop, the agents that act in it and the sinks that watch it."""
