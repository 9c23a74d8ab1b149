"""Audit: who did what, in a chain that cannot be changed unseen.

May touch: its own tables and, for checkpoints, a directory outside the database. Everything
above writes to it through :func:`record`, inside the transaction of the act itself.
"""
