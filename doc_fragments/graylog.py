# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Document the arguments in CONNECTION of module_utils/graylog/module.py."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options of all Graylog modules."""

    DOCUMENTATION = r"""
options:
  url:
    type: str
    default: http://127.0.0.1:9000
    description:
      - URL of a Graylog node, with or without C(/api).
      - The environment variable C(GRAYLOG_URL) overrides the default.
  username:
    type: str
    description: Login name of a Graylog user.
  password:
    type: str
    description: The user's password.
  token:
    type: str
    description:
      - Access token, instead of O(username) and O(password).
      - Without it, the environment variable C(GRAYLOG_TOKEN) is used if it is set.
  validate_certs:
    type: bool
    default: true
    description: Whether to verify the server's certificate.
  ca_path:
    type: path
    description: PEM file of the authorities that the server's certificate is verified with.
  client_cert:
    type: path
    description: Client certificate, PEM.
  client_key:
    type: path
    description: Key of O(client_cert), PEM.
  timeout:
    type: int
    default: 30
    description: Timeout of one request, in seconds.
"""
