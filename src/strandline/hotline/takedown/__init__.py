"""Takedown: find who hosts a confirmed address, warn them, and prove by looking that it is gone.

May touch: its own tables; the record of ``reports`` (states and observations, by its verbs); the
outbox and due work of ``jobs``. It hears of confirmed addresses from ``assessment``. Registries,
resolvers and reported addresses are reached through ``strandline.fetching`` alone.

``rdap`` and ``routing`` read what registries say, ``tracing`` puts it together, ``letters`` words
a notice, ``notices`` sends it, ``judge`` reads a look, ``watch`` says what follows from it,
``answers`` takes the host's word.
"""
