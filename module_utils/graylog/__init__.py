"""Manage Graylog through its REST API: client, reconcile, and resources."""
