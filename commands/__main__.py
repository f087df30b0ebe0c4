"""`python -m commands …`, which run.py starts inside `.venv`."""

from __future__ import annotations

import sys

from commands.app import main

sys.exit(main())
