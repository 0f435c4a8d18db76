"""Jobs: models, states and their transitions, and the rules for both."""
