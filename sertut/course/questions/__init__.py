"""The judges of the exercises, one module a chapter; tasks and solutions stand in the chapters."""

from importlib import import_module
from pkgutil import iter_modules

for chapter in iter_modules(__path__):
    import_module(f"{__name__}.{chapter.name}")
