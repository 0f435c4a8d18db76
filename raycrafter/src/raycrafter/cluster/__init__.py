"""The cluster: ssh, batch system, workspaces, GridFTP. Nothing here knows of Django models."""
