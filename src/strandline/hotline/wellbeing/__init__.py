"""Wellbeing: what each person was exposed to, the budget of a shift, and breaks.

A person's figures are their own. Others see sums over five people or more, never one person's.

May touch: its own table, and ``reports`` and ``accounts`` to name what was seen and by whom.
"""
