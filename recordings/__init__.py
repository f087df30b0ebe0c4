"""What hands do on a client: the closed union of actions, masking, and (later) recordings, scenarios and rehearsal."""
