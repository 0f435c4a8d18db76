"""Keep the bytecode of what Python imports from zip archives, as it keeps that of files.

Ansible sends every module as an archive, and a hundred of the files in it are the same each time. A lab's host runs
hundreds of modules within minutes, and compiling those files took half of the time of each. All labs of a machine share
what is kept.
"""

import marshal
import os
import sys
import zipimport

KEPT = "/var/cache/lab-zip-bytecode"  # root's: others read it
compile_source = zipimport._compile_source


def kept(pathname, source):
    """Return the code of a source (bytes), compiled now or by an earlier process of the same Python."""
    # Every Python of the host loads this file, and few get here.
    from contextlib import suppress
    from importlib.util import source_hash
    from pathlib import Path

    file = Path(KEPT, f"{source_hash(source).hex()}.{sys.implementation.cache_tag}")
    with suppress(OSError, EOFError):
        return marshal.loads(file.read_bytes())  # noqa: S302 - root wrote it
    code = compile_source(pathname, source)
    unfinished = file.with_suffix(f".{os.urandom(8).hex()}")
    with suppress(OSError):
        unfinished.write_bytes(marshal.dumps(code))
        unfinished.replace(file)
    return code


zipimport._compile_source = kept
