"""The robot (look, decide, act, look again) and the robots of the showcase."""
