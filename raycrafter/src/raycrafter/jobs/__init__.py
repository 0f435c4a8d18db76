"""Jobs: what users ask for, what becomes of it, and the one way in which states change."""
