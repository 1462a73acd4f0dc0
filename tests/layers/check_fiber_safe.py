#!/usr/bin/env python3
"""Shows that <errno.h> and <pthread.h> of include/weft/fiber_safe keep a compiler from caching across a suspension.

Code as users write it, at -O2: two uses of errno and two of pthread_self around a call that the compiler cannot see
into. Every use must stay a call of its own; without the headers it must not, or this test would prove nothing.
usage: check_fiber_safe.py ROOT OBJDUMP COMPILER..."""

import os
import re
import subprocess
import sys
import tempfile

CODE = """
#include <{errno}>
#include <pthread.h>
{extra}
void suspend({void});
int twice({void}) {{ errno = 1; suspend(); errno = 2; return errno; }}
int same({void}) {{ pthread_t before = pthread_self(); suspend(); return pthread_equal(before, pthread_self()); }}
"""
LANGUAGES = {
    'c++': (['-x', 'c++', '-std=c++20'], CODE.format(errno='cerrno', extra='#include <mutex>\n#include <thread>', void='')),
    'c': (['-x', 'c', '-std=c11'], CODE.format(errno='errno.h', extra='', void='void')),
}


def calls(objdump, compiler, flags, code):
    """How often the compiled code calls the accessor of errno, and pthread_self."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'user_code')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(code)
        subprocess.run([*compiler, *flags, '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-c', source, '-o', source + '.o'],
                       check=True)
        text = subprocess.run([objdump, '-dr', source + '.o'], check=True, capture_output=True, text=True).stdout
    return len(re.findall(r'R_\w+\s+__errno_location', text)), len(re.findall(r'R_\w+\s+pthread_self', text))


def is_uncached(counted):
    return counted[0] >= 3 and counted[1] >= 2


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    if not sys.platform.startswith('linux'):
        sys.exit(77)  # Elsewhere these functions are not declared const.
    root, objdump, compiler = sys.argv[1], sys.argv[2], sys.argv[3:]
    failed, shows_nothing = False, False
    for language, (flags, code) in LANGUAGES.items():
        plain = calls(objdump, compiler, flags, code)
        safe = calls(objdump, compiler, [*flags, '-I' + os.path.join(root, 'include/weft/fiber_safe')], code)
        print(f'{language}: errno {plain[0]} -> {safe[0]} calls, pthread_self {plain[1]} -> {safe[1]} calls')
        failed |= not is_uncached(safe)
        shows_nothing |= is_uncached(plain)
    if failed:
        sys.exit('a compiler caches across a suspension')
    if shows_nothing:
        print('this compiler caches nothing here, so the test shows nothing')
        sys.exit(77)
