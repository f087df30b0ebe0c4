"""The command line behind run.py, one file a command."""
