"""Several datasets read as one, as a file `mix.json` says."""
