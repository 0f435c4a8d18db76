"""Cache the bytecode of modules that Python imports from zip archives.

Ansible sends every module as an archive, of which a hundred files are always the same. A lab's host runs hundreds of
modules within minutes, and compiling these files took half of their time. All labs of a machine share the cache.
"""

import marshal
import os
import sys
import zipimport

CACHE = "/var/cache/lab-zip-bytecode"  # written by root, readable for all users
compile_source = zipimport._compile_source


def cached(pathname, source):
    """Return the code of a source (bytes), from the cache if possible."""
    # Import here: every Python of the host loads this file, but few call this function.
    from contextlib import suppress
    from importlib.util import source_hash
    from pathlib import Path

    file = Path(CACHE, f"{source_hash(source).hex()}.{sys.implementation.cache_tag}")
    with suppress(OSError, EOFError):
        return marshal.loads(file.read_bytes())  # noqa: S302 - only root can write the file
    code = compile_source(pathname, source)
    unfinished = file.with_suffix(f".{os.urandom(8).hex()}")
    with suppress(OSError):
        unfinished.write_bytes(marshal.dumps(code))
        unfinished.replace(file)
    return code


zipimport._compile_source = cached
