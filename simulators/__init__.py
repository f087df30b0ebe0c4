"""Stand-ins for the closed clients, with their own truth. The outside world: imports nothing of ours."""
