"""The words every layer speaks: specs, frames, configs, errors, clocks, events. Numpy and stdlib only."""
