"""Feedback: what members say of entries, and what follows."""
