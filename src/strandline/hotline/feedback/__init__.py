"""Feedback: what members say of entries, who still holds what, and what each may have.

May touch: its own tables; entries through the verbs of ``hashlist.services``; due work and mail in
``jobs``; the audit chain. It never signs: scope notes and the list of innocent pictures are signed
as due work, in the worker that holds the key.
"""
