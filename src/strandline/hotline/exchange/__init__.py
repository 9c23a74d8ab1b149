"""Exchange: lists of others, previewed, taken in whole, and taken back.

A delivery is a file that somebody gave, or what a peer's server answered. It is read twice: once to
say what taking it in would do, and once, after a person decided, to do that in one transaction.
May touch: its own tables, the folder ``exchange`` of the hotline's home, the list through
``hashlist.services``, the peers' servers through ``fetching``, formats through
``strandline.formats``.
"""
