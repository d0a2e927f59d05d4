"""Datasets: opening, windowing, recording and checking demonstrations."""

from etude.core.registry import Registry

formats = Registry("dataset format", "etude.data.formats", module="reader")
