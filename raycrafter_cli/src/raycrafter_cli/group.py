"""End the command after unexpected errors with a hint and a documented exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from .errors import EXIT_INTERRUPTED, EXIT_UNREAD, CliError


class Group(click.Group):
    """The group of all commands.

    Click ends with code 1 after such errors, but 1 is documented as "the job failed".
    """

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        if sys.stdout:  # None if standard output is closed
            # Escape characters that the terminal's encoding lacks.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort) as error:  # prompts of click turn the first into the second
            click.echo(f"\n{error}" if str(error) else "\nInterrupted.", err=True)
            context.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            _close_output()
            context.exit(EXIT_UNREAD)
        except UnicodeError as error:
            raise CliError("an argument is not UTF-8 text: type it again") from error
        except OSError as error:
            raise CliError(str(error)) from error
        except Exception:
            traceback.print_exc()
            raise CliError("this is a bug in raycrafter: please report it with the lines above") from None


def _close_output() -> None:
    """Redirect standard output to /dev/null, so that Python's last flush succeeds."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
