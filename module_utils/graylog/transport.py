"""How a module reaches Graylog: HTTP and HTTPS with a login, without a proxy, with one TLS context for all requests.

Ansible's open_url makes a context for each request, also where nothing is encrypted. A module asks ten times or more,
and to read the host's authorities was nine tenths of each.
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
    """Return the answer to a request, to be read and closed; the arguments are those of Ansible's open_url.

    timeout: seconds. ca_path: a file of authorities that are trusted in the place of the host's.
    Raises urllib.error.HTTPError for a refusal, OSError where nothing answers or the certificate is not trusted.
    """
    login = base64.b64encode(f"{url_username}:{url_password}".encode()).decode("ascii")
    headers = {**headers, "Authorization": f"Basic {login}"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - the client takes web servers only
    # The API is an address of the inside.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if url.startswith("https:"):
        context = _context(validate_certs, ca_path, client_cert, client_key)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers).open(request, timeout=timeout)
