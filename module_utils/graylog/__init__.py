"""Graylog's REST API, and one resource class for each kind of object that the modules manage."""
