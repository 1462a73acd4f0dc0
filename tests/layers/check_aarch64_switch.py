#!/usr/bin/env python3
"""Shows that no value stays in a register over the AArch64 switch, and that new stacks are entered as functions are.

usage: check_aarch64_switch.py ROOT COMPILER...
The switch is assembly inlined into its caller, so all depends on what it says it changes. Functions that hold more values
over it than there are registers are compiled by all of COMPILER, aarch64-linux-gnu-g++ and clang++ that are there and can
compile for AArch64; the switch needs nothing of the system's headers. Behind it, every register but those that it hands
over must be written before it is read. Then the same for a switch that forgets to name one: it must be caught, or this
test would prove nothing. Exit status 77 where there is no such compiler."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

STANDARD = 'namespace std { using size_t = decltype(sizeof(0)); enum class byte : unsigned char {}; }\n'
HELD = 34

CODE = r'''
#include "context/switch.h"
using namespace weft::detail;
#define FUNCTION extern "C" [[gnu::noinline, gnu::used]]
FUNCTION void integers_over_switch_to(saved_context to, arrival* result, long* p) { HOLD(long, switch_to(to, p)) }
FUNCTION void doubles_over_switch_to(saved_context to, arrival* result, double* p) { HOLD(double, switch_to(to, p)) }
FUNCTION void pointer_over_switch_to(saved_context to, arrival* result) { *result = switch_to(to, result); }
FUNCTION void integers_over_start(std::byte* top, context_entry entry, arrival* result, long* p) {
  HOLD(long, start(top, 0, entry, p))
}
FUNCTION void doubles_over_start(std::byte* top, context_entry entry, arrival* result, double* p) {
  HOLD(double, start(top, 0, entry, p))
}
FUNCTION void never_returns(std::byte* top, context_entry entry, void* p) { exit_to_start(top, 0, entry, p); }
#ifdef __ARM_FEATURE_SVE
FUNCTION __SVBool_t predicate_over_switch_to(__SVBool_t, __SVBool_t held, saved_context to, arrival* result) {
  *result = switch_to(to, result);
  return held;
}
#endif
'''
ENTERS = {'integers_over_start', 'doubles_over_start', 'never_returns'}

WAYS = [['-O2'], ['-O3'], ['-O2', '-fomit-frame-pointer'], ['-O2', '-mbranch-protection=standard']]
WITH_SVE = ['-O2', '-march=armv8.2-a+sve']
FORGOTTEN = {'"x18",': ['-O2'], '"x28",': ['-O2'], '"v9",': ['-O2'], '"p1",': WITH_SVE}

HANDED_OVER = {'x0', 'x1', 'x29'}
NO_RESULT = re.compile(r'st|cmp|cmn|tst|ccm|fcmp|cb|tb|b$|b\.|br|blr|ret|prf')  # Their first operand is only read.


def hold():
    """A macro: HELD values are read, `over` is done, the values are written in another order."""
    read = ', '.join(f'v{i} = p[{i}]' for i in range(HELD))
    written = ' '.join(f'p[{HELD - 1 - i}] = v{i};' for i in range(HELD))
    return f'#define HOLD(type, over) type {read}; *result = over; {written}\n'


def registers(text):
    """Each register under one name, whatever its width."""
    return {{'x': 'x', 'w': 'x', 'p': 'p'}.get(kind, 'v') + number for kind, number in re.findall(r'\b([xwvzqdshbp])(\d+)\b', text)}


def read_before_written(lines):
    known, read = set(HANDED_OVER), set()
    for line in lines:
        words = line.strip().split(None, 1)
        if len(words) < 2 or words[0].startswith(('.', '/', '#')):
            continue
        parts = re.sub(r'//.*', '', words[1]).split(',')
        results = 0 if NO_RESULT.match(words[0]) else 2 if words[0].startswith('ldp') else 1
        read |= registers(' '.join(parts[results:])) - known
        known |= registers(' '.join(parts[:results]))
    return read


def wrong_in(assembly):
    """What is wrong with each function."""
    found = []
    for name, body in re.findall(r'^(\w+):[^\n]*\n(.*?)^\s*\.size\s+\1\b', assembly, re.S | re.M):
        landing = re.split(r'hint\s+#36\b', body)
        if (len(landing) == 1) != (name == 'never_returns'):
            found.append(f'{name}: where does the switch end?')
        kept = read_before_written(landing[-1].split('\n')[1:]) if len(landing) > 1 else set()
        if kept:
            found.append(f'{name} keeps a value in {", ".join(sorted(kept))}')
        if name in ENTERS and not set(re.findall(r'\bbr\s+(\w+)', body)) <= {'x16', 'x17'}:
            found.append(f'{name} enters a function by another register than x16 and x17')
    return found


def assembly(command, flags, root, header, folder):
    """What the functions become with `header` for the switch."""
    os.makedirs(os.path.join(folder, 'context'), exist_ok=True)
    for name, text in (('cstddef', STANDARD), ('context/switch_aarch64.h', header), ('code.cpp', hold() + CODE)):
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
            file.write(text)
    return subprocess.run([*command, *flags, '-std=c++20', '-nostdinc++', '-DWEFT_BUILDING', '-DWEFT_CONTEXT_NATIVE',
                           *('-I' + path for path in (folder, os.path.join(root, 'lib'), os.path.join(root, 'include'))),
                           '-S', '-o', '-', os.path.join(folder, 'code.cpp')], check=True, stdout=subprocess.PIPE, text=True).stdout


def check(command, root, folder):
    with open(os.path.join(root, 'lib/context/switch_aarch64.h'), encoding='utf-8') as file:
        header = file.read()
    wrong = 0
    for flags in [*WAYS, WITH_SVE]:
        found = wrong_in(assembly(command, flags, root, header, folder))
        print(*command, *flags, *(['\n  '] if found else [': ok']), '\n  '.join(found))
        wrong += len(found)
    for name, flags in FORGOTTEN.items():
        if not wrong_in(assembly(command, flags, root, header.replace(name, ''), folder)):
            print(*command, *flags, f': a switch that does not name {name.strip(",")} is not caught')
            wrong += 1
    return wrong


def is_for_aarch64(command):
    done = subprocess.run([*command, '-dM', '-E', '-x', 'c++', os.devnull], capture_output=True, text=True, check=False)
    return done.returncode == 0 and '__aarch64__' in done.stdout


if __name__ == '__main__':
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    commands = [sys.argv[2:], ['aarch64-linux-gnu-g++'], ['clang++', '--target=aarch64-linux-gnu']]
    commands = [each for each in commands if shutil.which(each[0]) and is_for_aarch64(each)]
    if not commands:
        print('no compiler for AArch64: neither', ' '.join(sys.argv[2:]), 'nor aarch64-linux-gnu-g++ nor clang++')
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        failures = sum(check(command, sys.argv[1], scratch) for command in commands)
    sys.exit(1 if failures else 0)
