"""What a stored hash must say about how it was made."""

from strandline import media

#: Stored with every hash: canonical decoding, then the hash computed from its pixels.
PIPELINE = f"{media.PIPELINE}+pdq-1"

#: Below this quality a picture is too plain to fingerprint: its PDQ hash is neither listed nor
#: matched, since it says little about the picture and much about noise.
MIN_QUALITY = 50
