"""The command ``raycrafter``: a client of the users' REST interface."""

__version__ = "0.1.0"
