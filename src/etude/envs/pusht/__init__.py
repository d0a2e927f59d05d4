"""PushT, the benchmark of Diffusion Policy."""
