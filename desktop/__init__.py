"""Eyes and hands: one small protocol, :class:`desktop.base.Desktop`, and the platforms behind it. No decisions here."""
