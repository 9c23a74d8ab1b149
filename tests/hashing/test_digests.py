from strandline.hashing import Digests, digests


def test_digests_are_those_of_the_standards():
    # RFC 1321 appendix A.5; FIPS 180 examples
    assert digests(b"abc") == Digests(
        md5="900150983cd24fb0d6963f7d28e17f72",
        sha1="a9993e364706816aba3e25717850c26c9cd0d89d",
        sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )


def test_no_bytes_have_digests_too():
    assert digests(b"").md5 == "d41d8cd98f00b204e9800998ecf8427e"
