"""The follower arm of an SO-101, real or simulated."""
