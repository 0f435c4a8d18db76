"""The REST API: for users at /api/v1/, for compute clients at /api/v1/client/."""
