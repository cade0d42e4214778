"""A certificate for 127.0.0.1, as expensive to check as real ones."""

import os
from pathlib import Path

import certifi
import trustme


def trusted_certificate(folder: Path) -> Path:
    """A certificate of an authority that this process trusts from now on, besides the usual ones.

    Args:
        folder: where its files are to lie.
    """
    authority = trustme.CA()
    # with the usual ones, for reading them is what makes a new client expensive
    trusted = folder / "trusted.pem"
    trusted.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    os.environ["SSL_CERT_FILE"] = str(trusted)
    certificate = folder / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    return certificate
