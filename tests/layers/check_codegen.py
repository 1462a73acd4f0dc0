#!/usr/bin/env python3
"""Shows that compiled code keeps nothing of a thread across a suspension: no address of a thread-local variable, no
errno, no pthread_self.

usage: check_codegen.py ROOT LIBRARY OBJDUMP COMPILER...
Functions of a fixed set are compiled at -O2, -O3, with -fPIC and with -flto, by COMPILER and, where it is installed, by
clang++; objdump then tells how often each asks for the thread it runs on. A second set, written as nobody should, must
be caught, or this test would prove nothing. LIBRARY is the static weft (`-` for none): only the files that are meant to
ask for something of the thread may refer to it. Exit status 77 where the machine cannot show it."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

# What weft itself does: its one thread-local word, read on both sides of a switch.
INSIDE = r'''
#include "scheduler/here.h"
using namespace weft::detail;
extern "C" void suspend();
#define FUNCTION extern "C" [[gnu::noinline, gnu::used]]
FUNCTION bool here_around_a_switch() { core* const before = here(); suspend(); return before == here(); }
FUNCTION core* here_after_a_switch() { static_cast<void>(here()); suspend(); return here(); }
FUNCTION core* here_in_a_loop() { core* c = here(); for (int i = 0; i < 2; ++i) { suspend(); c = here(); } return c; }
'''
# How often each must ask where it is; a loop may be unrolled, so it is a least number.
INSIDE_READS = {'here_around_a_switch': 2, 'here_after_a_switch': 2, 'here_in_a_loop': 2}

# What users write, with the fiber-safe headers first on the path.
USERS = r'''
#include <cerrno>
#include <pthread.h>
extern "C" void suspend();
#define FUNCTION extern "C" [[gnu::noinline, gnu::used]]
FUNCTION int errno_twice() { errno = 1; suspend(); return errno; }
FUNCTION int errno_in_branches(bool b) { if (b) errno = 1; suspend(); if (b) errno = 2; suspend(); return errno; }
FUNCTION int self_twice() { pthread_t a = pthread_self(); suspend(); return pthread_equal(a, pthread_self()); }
struct at_end { ~at_end() { errno = 3; } };
FUNCTION void errno_in_destructor() { at_end e; errno = 1; suspend(); }
'''
USERS_CALLS = {
    'errno_twice': ('__errno_location', 2), 'errno_in_branches': ('__errno_location', 3),
    'self_twice': ('pthread_self', 2), 'errno_in_destructor': ('__errno_location', 2),
}

# What belongs to a thread, and the files of the library that ask for it; none of them suspends in between.
OF_A_THREAD = {
    '__errno_location': {'platform_system_calls'}, 'pthread_self': {'platform_thread'},
    '__cxa_get_globals': {'context_exception_state'}, '__tls_get_addr': {'scheduler_here', 'scheduler_injection'},
    'thrd_current': set(), 'gettid': set(),
}

MAIN = 'extern "C" { __thread unsigned long weft_here = 0; }\nextern "C" void suspend() { __asm__ volatile("" ::: "memory"); }\nint main() {}\n'
WAYS = {'-O2': ['-O2'], '-O3': ['-O3'], '-O2 -fPIC': ['-O2', '-fPIC'], '-O3 -fPIC': ['-O3', '-fPIC'],
        '-O2 -flto': ['-O2', '-flto'], '-O3 -flto': ['-O3', '-flto']}
# How x86-64 and AArch64 take hold of the thread.
THREAD_POINTER = r'%fs:|tpidr_el0|__tls_get_addr|TLSDESC|tlsdesc'


def functions(objdump, binary):
    """name -> its instructions, with relocations between them."""
    text = subprocess.run([objdump, '-drC', '--no-show-raw-insn', binary], check=True, capture_output=True, text=True).stdout
    found = {}
    for part in re.split(r'\n(?=[0-9a-f]+ <)', text):
        head = re.match(r'\s*[0-9a-f]+ <([^>]+)>:', part)
        if head:
            found[head.group(1)] = part
    return found


class Compiler:
    def __init__(self, command, root, objdump, folder):
        self.command, self.root, self.objdump, self.folder = command, root, objdump, folder
        self.name = os.path.basename(command[-1])

    def build(self, code, flags, includes):
        """What `code` becomes; None where this compiler cannot do it that way."""
        objects = []
        for name, text in (('code', code), ('main', MAIN)):
            source = os.path.join(self.folder, name + '.cpp')
            with open(source, 'w', encoding='utf-8') as file:
                file.write(text)
            objects.append(source + '.o')
            # The main part never takes part in the optimisation of the whole: suspend() has to stay unknown.
            chosen = flags if name == 'code' else ['-O2', '-fPIC']
            subprocess.run([*self.command, '-std=c++20', '-DWEFT_BUILDING', *chosen,
                            *('-I' + os.path.join(self.root, path) for path in includes), '-c', source, '-o', objects[-1]],
                           check=True)
        if '-flto' not in flags:
            return functions(self.objdump, objects[0])
        program = os.path.join(self.folder, 'program')
        linker = ['-fuse-ld=lld'] if 'clang' in self.name else []
        done = subprocess.run([*self.command, *flags, *linker, *objects, '-o', program], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f'{self.name} {" ".join(flags)}: skipped, it cannot link: {done.stderr.strip().splitlines()[-1:]}')
            return None
        return functions(self.objdump, program)

    def looked_at(self, code, way, includes, wanted):
        """(function, how often it asks, how often it must) for each wanted one."""
        found = self.build(code, WAYS[way], includes)
        if found is None:
            return []
        rows = []
        for name, (pattern, least) in wanted.items():
            body = ''.join(text for other, text in found.items() if other == name or other.startswith(name + '.'))
            rows.append((name, len(re.findall(pattern, body)), least))
        return rows


def check(compiler):
    wrong = 0
    inside = {name: (THREAD_POINTER, least) for name, least in INSIDE_READS.items()}
    # A call is one line of the dump, or with its relocation two: the name stands in the relocation, else in the call.
    users = {name: (rf'(?:R_\w+\s+{call}|(?:call|bl)\s.*<{call}(?:@plt)?>)', least)
             for name, (call, least) in USERS_CALLS.items()}
    for way in WAYS:
        rows = compiler.looked_at(INSIDE, way, ['lib', 'include'], inside)
        rows += compiler.looked_at(USERS, way, ['include/weft/fiber_safe'], users)
        for name, asked, least in rows:
            if asked < least:
                print(f'{compiler.name} {way}: {name} asks {asked} times which thread it runs on; {least} is the least')
                wrong += 1
        print(f'{compiler.name} {way}: {len(rows)} functions')
    unsafe = compiler.looked_at(USERS, '-O2', [], users)
    if all(asked >= least for _, asked, least in unsafe):
        print(f'{compiler.name}: caches nothing without the fiber-safe headers, so it shows nothing')
        wrong += 1
    return wrong


def check_library(library):
    """How many of its files refer to something of the thread that they have no business with."""
    text = subprocess.run(['nm', '-uA', library], check=True, capture_output=True, text=True).stdout
    wrong = 0
    for file, symbol in re.findall(r':(\w+)\.cpp\.o:\s+U (\w+)', text):
        if file not in OF_A_THREAD.get(symbol, {file}):
            print(f'{file}.cpp refers to {symbol}: after a suspension that may be another thread\'s')
            wrong += 1
    if 'platform_system_calls.cpp.o' not in text:
        sys.exit(f'{library} does not look like weft')
    return wrong


if __name__ == '__main__':
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    if not sys.platform.startswith('linux') or platform.machine() not in ('x86_64', 'aarch64'):
        sys.exit(77)
    root, library, objdump = sys.argv[1:4]
    commands = [sys.argv[4:]]
    if shutil.which('clang++') and 'clang' not in sys.argv[-1]:
        commands.append(['clang++'])
    elif 'clang' not in sys.argv[-1]:
        print('clang++ is not installed: only', sys.argv[-1])
    with tempfile.TemporaryDirectory() as scratch:
        failures = sum(check(Compiler(command, root, objdump, scratch)) for command in commands)
    if library != '-':
        failures += check_library(library)
    sys.exit(1 if failures else 0)
