#!/usr/bin/env python3
"""The system-call gate as the linker sees it: which object of libweft.a asks libc for what.

gate_rules.py looks at how the source is spelt; this looks at what it became, macros and inlined library code included.
usage: check_symbols.py NM ARCHIVE
       check_symbols.py --self-test NM AR COMPILER..."""

import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gate_rules import CALLS, UNMISTAKABLE

GATE = 'platform_system_calls.cpp'
# Objects that may ask for more, and for what: starting threads is the C library's, not a system call of ours.
EXCEPTIONS = {
    'platform_signal_set.cpp': r'pthread_sigmask',
    'platform_thread.cpp': r'pthread_\w+',
    'platform_thread_exit.cpp': r'pthread_(?:key|setspecific|getspecific)\w*',
    'platform_affinity_linux.cpp': r'_ZNSt6thread20hardware_concurrencyEv',
    'platform_affinity_none.cpp': r'_ZNSt6thread20hardware_concurrencyEv',
    'platform_process.cpp': r'pthread_atfork',
    'platform_futex_condition.cpp': r'pthread_(?:cond|mutex)_\w+|\w+steady_clock3nowEv',
}
# Locks that never wait for a fiber are the C++ library's own business.
HARMLESS = re.compile(r'pthread_(?:mutex_(?:lock|unlock|trylock|init|destroy)|once)$')
FORBIDDEN = re.compile(
    r'(?:__errno_location|__error|pthread_\w+|_ZNSt6thread\w+|_ZNSt11this_thread\w+|(?:__)?(?:'
    + '|'.join(CALLS + UNMISTAKABLE) + r'|time|gettimeofday|timespec_get|_ZNS\w*chrono\w*clock3nowEv)(?:64|_chk|_2|64_2)?)$')


def findings(nm, archive):
    listing = subprocess.run([nm, '-A', '--undefined-only', archive], capture_output=True, text=True, check=True).stdout
    found, objects = [], set()
    for line in listing.splitlines():
        match = re.match(r'.*[:\[]([\w.-]+\.o)\]?:\s+[Uw]\s+(\S+)', line)
        if not match:
            continue
        source, symbol = match.group(1)[:-len('.o')], match.group(2).split('@')[0]
        objects.add(source)
        if source == GATE or HARMLESS.match(symbol) or not FORBIDDEN.match(symbol):
            continue
        allowed = EXCEPTIONS.get(source)
        if not (allowed and re.fullmatch(allowed, symbol)):
            found.append(f'{source} calls {symbol}: go through sys() of platform/system_calls.h')
    return objects, found


def self_test(nm, ar, compiler):
    cases = [
        ('scheduler_core.cpp', 'extern "C" long read(int, void*, unsigned long); long f() { return read(0, 0, 0); }', True),
        ('scheduler_core.cpp', '#include <cerrno>\nint f() { return errno; }', True),
        ('io_file.cpp', '#include <thread>\n#include <chrono>\n'
                        'void f() { std::this_thread::sleep_for(std::chrono::seconds(1)); }', True),
        ('scheduler_timers.cpp', '#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }', True),
        ('scheduler_timers.cpp', '#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }', True),
        ('scheduler_timers.cpp', '#include <ctime>\nauto f() { return std::time(nullptr); }', True),
        ('platform_poller.cpp', '#include <unistd.h>\nint f() { return close(3); }', True),
        ('platform_thread.cpp', '#include <pthread.h>\nauto f() { return pthread_self(); }', False),
        ('platform_thread.cpp', '#include <unistd.h>\nint f() { return close(3); }', True),
        ('platform_system_calls.cpp', '#include <unistd.h>\nint f() { return close(3); }', False),
        ('sync_mutex.cpp', 'struct s { int read(); }; int f(s& x) { return x.read(); }', False),
    ]
    for name, text, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
            subprocess.run([*compiler, '-std=c++20', '-O2', '-c', path, '-o', path + '.o'], check=True)
            subprocess.run([ar, 'rc', os.path.join(folder, 'x.a'), path + '.o'], check=True)
            found = findings(nm, os.path.join(folder, 'x.a'))[1]
            if bool(found) != expected:
                sys.exit(f'self-test: {name} gave {found}, expected {"some" if expected else "none"}:\n{text}')
    print(f'{len(cases)} self-tests passed')


if __name__ == '__main__':
    if len(sys.argv) > 4 and sys.argv[1] == '--self-test':
        self_test(sys.argv[2], sys.argv[3], sys.argv[4:])
        sys.exit(0)
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    seen, texts = findings(sys.argv[1], sys.argv[2])
    for text in texts:
        print(text)
    print(f'{len(seen)} objects, {len(texts)} findings')
    sys.exit(1 if texts or GATE not in seen else 0)
