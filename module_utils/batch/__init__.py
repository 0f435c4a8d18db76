"""Batch scripts, batch systems and their jobs, for the Ansible modules ``batch_*`` and the render manager."""
