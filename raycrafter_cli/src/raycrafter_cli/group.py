"""How the command ends when something comes in between: in a line that helps, with a documented exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from .errors import EXIT_INTERRUPTED, EXIT_UNREAD, CliError


class Group(click.Group):
    """The group of all commands. Click alone ends all of these with 1, which says that the job failed."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was asked for."""
        if sys.stdout:  # unless it is closed
            # a name that the terminal's encoding does not have is no reason to end
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort) as error:  # click's questions make the first into the second
            click.echo(f"\n{error}" if str(error) else "\nInterrupted.", err=True)
            context.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            _close_output()
            context.exit(EXIT_UNREAD)
        except UnicodeError as error:
            raise CliError("one of the words is not UTF-8 text: write it anew") from error
        except OSError as error:
            raise CliError(str(error)) from error
        except Exception:
            traceback.print_exc()
            raise CliError("this is a mistake in raycrafter: please report it with the lines above") from None


def _close_output() -> None:
    """Nobody reads what is printed: Python would complain once more about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
