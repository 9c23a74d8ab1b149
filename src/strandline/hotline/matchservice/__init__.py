"""Match service: answers for members who may not hold the list."""
