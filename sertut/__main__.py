"""``python -m sertut`` is ``sertut``."""

from sertut.cli import main

main()
