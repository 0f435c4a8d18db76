"""Create the TLS context of every connection."""

import ssl
from typing import Optional


def client_context(ca_file: str, cert_file: Optional[str] = None, key_file: Optional[str] = None) -> ssl.SSLContext:
    """Return a context for TLS 1.2 or later that trusts only ``ca_file``.

    The context checks host names. ``cert_file`` and ``key_file`` are the client's certificate and key. Raises OSError
    or its subclass ssl.SSLError if a file is missing or invalid.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
    if hasattr(context, "minimum_version"):
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    else:  # Python 3.6
        context.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    return context
