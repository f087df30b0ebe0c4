"""Running unattended: engine, item ledger, journal, reports, settings, vault, locks."""
