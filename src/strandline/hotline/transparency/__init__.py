"""Transparency: what everybody may know of the list, in plain words, without a single hash.

The story of the list comes from the log's own files, as anybody could read them; reasons of
withdrawals and what members did come from the record. May touch: everything below, only to read.
"""
