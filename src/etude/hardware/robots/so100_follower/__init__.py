"""The follower arm of an SO-100."""
