"""Other people's formats to and from our own dataclasses. Reads and writes text; opens no connection and no file."""
