"""Action Chunking Transformer (Zhao et al., 2023)."""
