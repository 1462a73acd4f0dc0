#!/usr/bin/env python3
"""Compiles every public header alone, with all warnings, and fails if one of them reaches a library that weft hides.

usage: check_headers.py ROOT COMPILER...
       check_headers.py --self-test COMPILER..."""

import concurrent.futures
import os
import subprocess
import sys
import tempfile

WARNINGS = ['-std=c++20', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wold-style-cast', '-Wnon-virtual-dtor', '-Werror']
HIDDEN = ('/boost/', '/hwloc', 'concurrentqueue', '/moodycamel/')


def public_headers(root):
    include = os.path.join(root, 'include')
    return sorted(os.path.relpath(os.path.join(folder, name), include).replace(os.sep, '/')
                  for folder, _, names in os.walk(include) for name in names if name.endswith('.h'))


def complaint(root, header, compiler, scratch):
    """What is wrong with `header`, or an empty string. It is included twice: guards count as well."""
    stem = os.path.join(scratch, header.replace('/', '_'))
    with open(stem + '.cpp', 'w', encoding='utf-8') as file:
        file.write(f'#include <{header}>\n#include <{header}>\n')
    run = subprocess.run([*compiler, *WARNINGS, '-I' + os.path.join(root, 'include'), '-fsyntax-only', '-MD', '-MF',
                          stem + '.d', stem + '.cpp'], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return f'<{header}> does not compile alone:\n{run.stderr}'
    with open(stem + '.d', encoding='utf-8') as file:
        reached = sorted({path for path in file.read().split() if any(name in path for name in HIDDEN)})
    return f'<{header}> reaches {reached[0]}, which users need not have\n' if reached else ''


def complaints(root, compiler):
    headers = public_headers(root)
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda header: complaint(root, header, compiler, scratch), headers))
    return len(headers), [text for text in found if text]


def self_test(compiler):
    trees = {
        'clean': ('#pragma once\n#include <cstddef>\ninline std::size_t n = 0;\n', 0),
        'leans on its neighbour': ('#pragma once\ninline std::vector<int> v;\n', 1),
        'has no guard': ('struct twice {};\n', 1),
        'warns': ('#pragma once\ninline int f(int unused) { return 1; }\n', 1),
        'reaches a hidden library': ('#pragma once\n#include <weft/boost/version.hpp>\n', 1),
    }
    for claim, (text, expected) in trees.items():
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, 'include/weft/boost'))
            for path, content in (('a.h', text), ('boost/version.hpp', '')):
                with open(os.path.join(root, 'include/weft', path), 'w', encoding='utf-8') as file:
                    file.write(content)
            found = complaints(root, compiler)[1]
            if len(found) != expected:
                sys.exit(f'self-test: a header that {claim} gave {len(found)} complaints, not {expected}: {found}')
    print(f'{len(trees)} self-tests passed')


if __name__ == '__main__':
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == '--self-test':
        self_test(sys.argv[2:])
        sys.exit(0)
    count, texts = complaints(sys.argv[1], sys.argv[2:])
    print(''.join(texts), end='')
    print(f'{count} headers, {len(texts)} complaints')
    sys.exit(1 if texts or count == 0 else 0)
