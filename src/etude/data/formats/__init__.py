"""How datasets are laid out on disk: one folder per format."""

from etude.core.registry import Registry

formats = Registry("dataset format", "etude.data.formats", module="reader")
