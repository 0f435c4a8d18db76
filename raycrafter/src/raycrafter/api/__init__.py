"""The REST API: for users below /api/v1/, for compute-node clients below /api/v1/client/."""
