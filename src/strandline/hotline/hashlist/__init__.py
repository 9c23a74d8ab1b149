"""Hashlist: entries, recognition of what is listed already, and signed editions for members.

May touch: its own tables, verdicts of ``assessment``, and, to publish, the one folder of signed
files (``settings.HOTLINE.published``) through ``strandline.lists``. Only the worker holds the key
that signs; pages make an edition due and read what became of it.
"""
