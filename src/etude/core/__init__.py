"""The words every layer speaks: specs, frames, configs, errors, clocks and events. Numpy and the standard library only."""
