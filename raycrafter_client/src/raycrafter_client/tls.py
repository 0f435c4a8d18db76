"""TLS as every connection of the client uses it."""

import ssl
from typing import Optional


def client_context(ca_file: str, cert_file: Optional[str] = None, key_file: Optional[str] = None) -> ssl.SSLContext:
    """Return a context that trusts one CA file only, checks names, speaks TLS 1.2 or later, and shows a certificate.

    Raises OSError (ssl.SSLError is one) when a file is missing or is not what it should be.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
    if hasattr(context, "minimum_version"):
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    else:  # Python 3.6
        context.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    return context
