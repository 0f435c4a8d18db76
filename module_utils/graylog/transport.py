"""Send HTTP requests with a login, one TLS context for all, and no proxy.

Ansible's open_url creates a context for each request, even for plain HTTP. A module sends ten or more requests, and
loading the host's authorities took nine tenths of the time of each.
"""

from __future__ import annotations

import base64
import functools
import ssl
import urllib.request


@functools.cache
def _context(validate_certs: bool, ca_path: str | None, client_cert: str | None, client_key: str | None):
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except OSError as error:
        raise OSError(f"ca_path {ca_path}: {error}") from error
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        try:
            context.load_cert_chain(client_cert, client_key)
        except OSError as error:
            raise OSError(f"client_cert {client_cert} with client_key {client_key}: {error}") from error
    return context


def open_url(
    url: str,
    method: str,
    headers: dict,
    data: bytes | None,
    timeout: int,
    url_username: str,
    url_password: str,
    validate_certs: bool = True,
    ca_path: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
):
    """Send a request and return the open response.

    The arguments are those of Ansible's open_url. timeout: seconds.
    ca_path: file of trusted authorities, instead of the host's.
    Raises urllib.error.HTTPError for an error status, OSError without a connection or with an untrusted certificate.
    """
    login = base64.b64encode(f"{url_username}:{url_password}".encode()).decode("ascii")
    headers = {**headers, "Authorization": f"Basic {login}"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - the client accepts http and https only
    # The API is on an internal address, so a proxy of the environment must not be used.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if url.startswith("https:"):
        context = _context(validate_certs, ca_path, client_cert, client_key)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)
