"""Turn a forked process into the renderer: the code between fork and exec."""

import json
import os
import signal
from typing import Any, Callable, Dict, Iterable, List, Optional

from .linux import signal_on_parent_death

# Signals that Python or the spawner has changed; the others are as the batch system set them.
CHANGED_SIGNALS = ("SIGTERM", "SIGINT", "SIGCHLD", "SIGUSR2", "SIGPIPE", "SIGXFZ", "SIGXFSZ")
EXIT_NOT_STARTED = 127


def become_renderer(
    request: Dict[str, Any],
    outputs: List[int],
    errors: int,
    parent: int,
    mask: Iterable[int],
    prctl: Callable[[int, int], None],
) -> None:
    """Execute the request's command and never return; write failures to ``errors``."""
    name = ""
    try:
        name = request["command"][0]
        os.setpgid(0, 0)
        if not signal_on_parent_death(prctl, signal.SIGKILL, parent):
            return
        for number, descriptor in enumerate(outputs, start=1):
            os.dup2(descriptor, number)
        try:
            os.chdir(request["directory"])
        except OSError:
            name = request["directory"]
            raise
        _restore_signals(mask)
        os.execvpe(request["command"][0], request["command"], request["environment"])  # noqa: S606 (no shell is meant)
    except OSError as error:
        _report(errors, error.errno, os.strerror(error.errno or 0), name)
    except BaseException as error:
        _report(errors, None, repr(error), name)
    finally:
        os._exit(EXIT_NOT_STARTED)


def _restore_signals(mask: Iterable[int]) -> None:
    for name in CHANGED_SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    # A SIGTERM since the fork was blocked until now.
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _report(errors: int, code: Optional[int], text: str, name: str) -> None:
    os.write(errors, json.dumps([code, text, name]).encode())


def read_report(errors: int) -> Optional[List[Any]]:
    """Return errno, text and file name of a failed start, or None after a start."""
    data = os.read(errors, 65536)
    return json.loads(data.decode()) if data else None
