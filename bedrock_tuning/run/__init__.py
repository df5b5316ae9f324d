"""One run: its job, price, outcome and advice."""
