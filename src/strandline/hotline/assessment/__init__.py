"""Assessment: what trained people saw, per item and per child, and what the law makes of it.

Observations are recorded once; categories are derived from them by a versioned table (``laws``).
A second analyst never learns what the first recorded until the item has its verdict.

May touch: its own tables, the record in ``reports`` (states, items), people's permissions in
``accounts``, the audit chain. Rooms above hear of verdicts by ``signals``.
"""
