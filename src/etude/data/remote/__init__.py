"""Datasets that lie elsewhere: behind a URL, or on the Hugging Face Hub. Files are fetched when they are touched."""
