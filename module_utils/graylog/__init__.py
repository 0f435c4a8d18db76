"""Manage Graylog through its REST API: client, reconciliation and resources."""
