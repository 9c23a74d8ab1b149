"""Places in a film as people read them."""


def on_the_clock(seconds: float) -> str:
    """Whole seconds from a film's start as ``0:07``, ``12:30`` or ``1:02:03``."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
