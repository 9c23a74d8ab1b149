"""Accountability: what member organisations state about their own use of the list, month by month.

May touch: its own table, members of ``accounts``. The public reads these figures under the
member's name, beside what the hotline itself saw.
"""
