#!/usr/bin/env python3
"""Builds an outside program against an installed weft, and runs it.

usage: check_consumer.py WAY BUILD_DIR SANITIZER COMPILER...
WAY is pkg-config or cmake (the program is built that way and must answer), or mismatch (the program is built with
every sanitizer that weft was not built with, and the linker must refuse it by name).
BUILD_DIR holds a finished build of weft; it is installed into a scratch directory, which is not its prefix: what is
installed must find itself wherever it stands."""

import json
import os
import platform
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = {'none': [], 'address': ['-fsanitize=address'], 'thread': ['-fsanitize=thread']}
SYMBOLS = {
    'none': 'weft_built_without_sanitizers',
    'address': 'weft_built_with_address_sanitizer',
    'thread': 'weft_built_with_thread_sanitizer',
}


def run(command, **options):
    print('+', ' '.join(command), flush=True)
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode != 0:
        sys.exit(f'{done.stdout}{done.stderr}failed with status {done.returncode}')
    return done.stdout


def find(root, name):
    for folder, _, names in os.walk(root):
        if name in names:
            return os.path.join(folder, name)
    sys.exit(f'{name} was not installed')


class Installed:
    """A tree that `meson install` made from `build`."""

    def __init__(self, build, root):
        must(['meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir', root])
        self.pc_dir = os.path.dirname(find(root, 'weft.pc'))
        self.cmake_dir = os.path.dirname(find(root, 'weftConfig.cmake'))
        self.include = os.path.dirname(os.path.dirname(find(root, 'weft.h')))
        with open(os.path.join(build, 'meson-info/intro-buildoptions.json'), encoding='utf-8') as file:
            context = next(each['value'] for each in json.load(file) if each['name'] == 'context')
        self.has_native_switch = context != 'boost' and platform.machine() in ('x86_64', 'aarch64')
        self.is_static = not os.path.exists(os.path.join(os.path.dirname(self.pc_dir), 'libweft.so'))
        self.environment = {**os.environ, 'PKG_CONFIG_PATH': self.pc_dir,
                            'LD_LIBRARY_PATH': os.path.dirname(self.pc_dir)}

    def pkg_config(self, *arguments):
        return must(['pkg-config', *arguments, 'weft'], env=self.environment).split()

    def link(self, compiler, flags, program):
        return run([*compiler, '-std=c++20', '-O2', *flags, os.path.join(HERE, 'main.cpp'), '-o', program,
                    *self.pkg_config('--cflags', '--libs')], env=self.environment)

    def must_answer(self, program):
        answer = must([program], env=self.environment, timeout=60)
        if answer != 'the answer is 42\n':
            sys.exit(f'the program said {answer!r}')


def headers(include):
    return {os.path.relpath(os.path.join(folder, name), include) for folder, _, names in os.walk(os.path.join(include, 'weft'))
            for name in names if name.endswith('.h')}


def by_pkg_config(installed, scratch, compiler, sanitizer):
    forgotten = headers(os.path.join(HERE, '../../include')) - headers(installed.include)
    if forgotten:
        sys.exit(f'not installed: {sorted(forgotten)}; list them in include/weft/meson.build')
    flags = installed.pkg_config('--cflags')
    first = os.path.realpath(flags[0][len('-I'):])
    if first != os.path.realpath(os.path.join(installed.include, 'weft/fiber_safe')):
        sys.exit(f'the fiber-safe headers are not first on the include path: {flags}')
    if 'concurrentqueue' in ' '.join(installed.pkg_config('--print-requires', '--print-requires-private')):
        sys.exit('the package asks for a header that no user needs')
    if installed.has_native_switch and 'boost' in ' '.join(installed.pkg_config('--libs', '--static')):
        sys.exit('a program with the native switch is asked for Boost')
    program = os.path.join(scratch, 'program')
    linked = installed.link(compiler, FLAGS[sanitizer], program)
    if linked.returncode != 0:
        sys.exit(linked.stderr)
    installed.must_answer(program)
    if installed.is_static:
        debuggers_find_their_way(installed, scratch, compiler, sanitizer)


def debuggers_find_their_way(installed, scratch, compiler, sanitizer):
    """What only a debugger reads is there although no code refers to it."""
    program = os.path.join(scratch, 'collected')
    linked = installed.link(compiler, [*FLAGS[sanitizer], '-Wl,--gc-sections'], program)
    if linked.returncode != 0:
        sys.exit(linked.stderr)
    symbols = must(['nm', program])
    for name in ('weft_debugger_layout', 'weft_debugger_runtimes'):
        if name not in symbols:
            sys.exit(f'--gc-sections takes {name} out of the program')


def by_cmake(installed, scratch, compiler, sanitizer):
    with open(os.path.join(installed.cmake_dir, 'weftConfig.cmake'), encoding='utf-8') as file:
        if installed.has_native_switch and 'boost' in file.read():
            sys.exit('a CMake project with the native switch is asked for Boost')
    project = os.path.join(scratch, 'cmake')
    must(['cmake', '-S', HERE, '-B', project, '-DCMAKE_BUILD_TYPE=Release', '-Dweft_DIR=' + installed.cmake_dir,
          '-DCMAKE_CXX_COMPILER=' + compiler[-1], '-DCMAKE_CXX_FLAGS=' + ' '.join(FLAGS[sanitizer])])
    must(['cmake', '--build', project])
    installed.must_answer(os.path.join(project, 'consumer'))
    refused = run(['cmake', '-S', HERE, '-B', project + '-99', '-Dweft_DIR=' + installed.cmake_dir, '-DWEFT_WANTED=99'])
    if refused.returncode == 0:
        sys.exit('find_package(weft 99) was content with this version')


def by_mismatch(installed, scratch, compiler, sanitizer):
    for other, flags in FLAGS.items():
        if other == sanitizer:
            continue
        linked = installed.link(compiler, flags, os.path.join(scratch, 'program'))
        if linked.returncode == 0:
            sys.exit(f'a program with sanitizer {other} was linked to a weft with sanitizer {sanitizer}')
        told = [line for line in linked.stderr.splitlines() if SYMBOLS[other] in line]
        if not told:
            sys.exit(f'the linker does not name {SYMBOLS[other]}:\n{linked.stderr}')
        print(told[0])


if __name__ == '__main__':
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    way, build_dir, options, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    kind = next((name for name in ('address', 'thread') if name in options.split(',')), 'none')
    if options != 'none':
        FLAGS[kind] = ['-fsanitize=' + options]
    with tempfile.TemporaryDirectory() as scratch_dir:
        tree = Installed(build_dir, os.path.join(scratch_dir, 'installed'))
        {'pkg-config': by_pkg_config, 'cmake': by_cmake, 'mismatch': by_mismatch}[way](tree, scratch_dir, command, kind)
