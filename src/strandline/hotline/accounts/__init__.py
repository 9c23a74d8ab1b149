"""Accounts: people and member organisations, their roles and what each role may do.

May touch: its own tables, and the audit chain for what changes who may do what.
"""
