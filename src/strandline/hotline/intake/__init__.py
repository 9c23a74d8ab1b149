"""Intake: the public face. Anyone reports an address, and reads the outcome with a return code.

May touch: its own table of forms that were sent, and ``reports`` by its verbs. Holds no session,
no account and no key that opens anything; never writes, logs or counts a visitor's address.
"""
