"""One address, one answer: the only room that opens outgoing web connections.

``normalise`` says what an address means and refuses what is not a public web address;
``Fetcher`` gets it, within limits, from an IP address that was checked to be public. Nothing here
reads what was fetched: that is for the sandboxed worker.
"""

from strandline.errors import AddressRefused, LookupFailed, SiteFailed
from strandline.fetching.address import MAX_LENGTH, WebAddress, normalise
from strandline.fetching.fetcher import Fetcher, FetchPolicy
from strandline.fetching.named_site import NamedSite
from strandline.fetching.networks import Networks
from strandline.fetching.results import Answer, Failure, FailureReason, Hop

__all__ = [
    "MAX_LENGTH",
    "AddressRefused",
    "Answer",
    "Failure",
    "FailureReason",
    "FetchPolicy",
    "Fetcher",
    "Hop",
    "LookupFailed",
    "NamedSite",
    "Networks",
    "SiteFailed",
    "WebAddress",
    "normalise",
]
