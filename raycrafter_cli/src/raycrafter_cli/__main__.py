"""Run ``raycrafter`` as ``python -m raycrafter_cli``."""

from .main import main

main()
