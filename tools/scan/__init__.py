"""Public scanners as a second net: their findings on the shipped app, and those that we accept.

The proof is in `review`. Scanners look for other things, and much of what they say is opinion: what
we do not follow stands in acknowledgements.toml with its reason, and nothing stands there in vain.
"""
