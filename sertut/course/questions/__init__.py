"""The judges of the exercises, one module a part of the book; tasks and solutions stand in the chapters."""

from importlib import import_module
from pkgutil import iter_modules

for part in iter_modules(__path__):
    import_module(f"{__name__}.{part.name}")
