"""Which devices there are, what they can do and how much memory they have now."""
