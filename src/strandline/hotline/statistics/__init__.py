"""Statistics: every published figure, tagged with what it counts.

May touch: everything below, only to read it. A figure is computed from the record when it is
asked for; nothing is counted by hand and nothing is kept.
"""
