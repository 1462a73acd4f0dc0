#!/usr/bin/env python3
"""Builds weft as a shared library and the outside program against it, by pkg-config and by CMake.

usage: check_shared.py ROOT BUILD_DIR COMPILER...
BUILD_DIR is kept, so that the next run compiles only what changed."""

import os
import re
import subprocess
import sys

if len(sys.argv) < 4:
    sys.exit(__doc__)
root, build, compiler = sys.argv[1], sys.argv[2], sys.argv[3:]
if not os.path.isfile(os.path.join(build, 'build.ninja')):
    subprocess.run(['meson', 'setup', build, root, '-Ddefault_library=shared', '-Dbuildtype=debug', '-Dtests=disabled',
                    '-Dbench=disabled', '-Dsamples=disabled'], check=True, env={**os.environ, 'CXX': ' '.join(compiler)})
subprocess.run(['ninja', '-C', build], check=True)
with open(os.path.join(build, 'meson-private', 'weft.pc'), encoding='utf-8') as file:
    version = re.search(r'^Version: (\d+\.\d+)', file.read(), re.MULTILINE).group(1)
dynamic = subprocess.run(['readelf', '-d', os.path.join(build, 'lib/libweft.so')], check=True, capture_output=True, text=True).stdout
if f'[libweft.so.{version}]' not in dynamic:
    sys.exit(f'a program would take another series than {version} for this one:\n{dynamic}')
for way in ('pkg-config', 'cmake'):
    subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'check_consumer.py'),
                    way, build, 'none', *compiler], check=True)
