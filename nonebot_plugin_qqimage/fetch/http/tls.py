"""TLS as QQ's image hosts need it, without giving up the verification of certificates.

Python ≥ 3.10 no longer offers RSA key exchange, and some of QQ's hosts offer nothing else:
``SSLV3_ALERT_HANDSHAKE_FAILURE``, https://github.com/LagrangeDev/Lagrange.Core/issues/315
"""

import os
import ssl

QQ_HOSTS = (".qq.com", ".qq.com.cn", ".qpic.cn")
"""Endings of the hosts that are connected to with `qq_context`; all others get the default."""

# explicit, because what "DEFAULT" means changes with OpenSSL
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:RSA+AESGCM:RSA+AES"


def offers_rsa(context: ssl.SSLContext) -> bool:
    """Whether a context offers RSA key exchange."""
    return any(cipher["kea"] == "kx-rsa" for cipher in context.get_ciphers())


def default_context() -> ssl.SSLContext:
    """A verifying context with Python's own choice of ciphers. Takes about 20 ms to make."""
    return _verifying()


def qq_context() -> ssl.SSLContext:
    """A verifying context that also offers RSA key exchange. Takes about 20 ms to make."""
    context = _verifying()
    context.set_ciphers(_CIPHERS)
    return context


def _verifying() -> ssl.SSLContext:
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ:
        context = ssl.create_default_context()  # which OpenSSL reads by itself
    else:
        import certifi  # only with the first download, because importing it searches the disk

        # not every Python finds the authorities that its system trusts
        context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # which Debian's Python leaves to its system
    return context
