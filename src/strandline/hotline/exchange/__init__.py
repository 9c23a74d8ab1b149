"""Exchange: lists of others, previewed, taken in whole, and taken back."""
