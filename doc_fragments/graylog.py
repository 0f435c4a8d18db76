# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of what module_utils/graylog/module.py calls CONNECTION."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that every module for Graylog has."""

    DOCUMENTATION = r"""
options:
  url:
    type: str
    default: http://127.0.0.1:9000
    description:
      - Address of a Graylog node, with or without C(/api).
      - Without it the environment's C(GRAYLOG_URL) is used, where there is one.
  username:
    type: str
    description: User of Graylog.
  password:
    type: str
    description: The user's password.
  token:
    type: str
    description:
      - An API token, instead of O(username) and O(password).
      - Without it the environment's C(GRAYLOG_TOKEN) is used, where there is one.
  validate_certs:
    type: bool
    default: true
    description: Whether the server's certificate is checked.
  ca_path:
    type: path
    description: Authorities that may vouch for the server's certificate.
  client_cert:
    type: path
    description: Certificate to show to the server, PEM.
  client_key:
    type: path
    description: Key of O(client_cert), PEM.
  timeout:
    type: int
    default: 30
    description: Seconds for one request.
"""
