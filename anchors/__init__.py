"""What a client looks like, per version: the anchor model, the store and `locate`, the one finder."""
