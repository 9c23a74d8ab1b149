"""Whom a list is believed to: keys, the ceremony that makes the root, and TUF's four roles.

A publisher's half (``ceremony``, ``repository``) and a reader's (``pinning``, ``updating``).
Touches the files of metadata and keys it is given, and nothing else.
"""
