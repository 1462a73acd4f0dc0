#!/usr/bin/env python3
"""Compiles every ```cpp block of README.md and docs/*.md, and compares the README's program with its sample.

usage: check_docs.py ROOT --compiler COMPILER...
       check_docs.py --self-test --compiler COMPILER...

A block with `int main` is a program and is compiled as it stands. A block whose first line is the comment
`// declaration` stands at namespace scope, any other inside a function; both after <weft/weft.h>, with the includes
of the block lifted to the top and std::chrono_literals in reach. Errors carry the line of the document."""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r'^```cpp[^\n]*\n(.*?)^```[ \t]*$', re.DOTALL | re.MULTILINE)
PRELUDE = ['weft/weft.h', 'algorithm', 'array', 'chrono', 'cstdio', 'functional', 'iostream', 'memory', 'span', 'string',
           'string_view', 'system_error', 'utility', 'vector']
PRECOMPILED = 'prelude.h'
SAMPLE = 'samples/echo_server.cpp'


def read(*parts):
    with open(os.path.join(*parts), encoding='utf-8') as file:
        return file.read()


def documents(root):
    docs = os.path.join(root, 'docs')
    names = ['README.md'] if os.path.isfile(os.path.join(root, 'README.md')) else []
    if os.path.isdir(docs):
        names += sorted('docs/' + name for name in os.listdir(docs) if name.endswith('.md'))
    return names


def blocks(text):
    """(line of the first line, code) of each ```cpp block."""
    return [(text.count('\n', 0, match.start(1)) + 1, match.group(1)) for match in FENCE.finditer(text)]


def unit(document, line, code):
    """The translation unit that a block becomes."""
    if re.search(r'^\s*(?:auto|int) main\s*\(', code, re.MULTILINE):
        return f'#line {line} "{document}"\n{code}'
    is_declaration = code.lstrip().startswith('// declaration')
    lifted = re.findall(r'^\s*#\s*include[^\n]*', code, re.MULTILINE)
    body = re.sub(r'^\s*#\s*include[^\n]*', '', code, flags=re.MULTILINE)
    top = f'#include "{PRECOMPILED}"\n' + ''.join(text.strip() + '\n' for text in lifted)
    top += 'using namespace std::chrono_literals;\n'
    opening, closing = ('namespace {', '}') if is_declaration else ('[[maybe_unused]] static auto in_a_function() {', '}')
    return f'{top}{opening}\n#line {line} "{document}"\n{body}\n{closing}\n'


def options(root, prelude):
    return ['-std=c++20', '-Wall', '-Wextra', '-Wno-unused', '-I' + prelude, '-I' + os.path.join(root, 'include')]


def precompile(root, compiler, prelude):
    """What stands above every block, read once for all of them."""
    header = os.path.join(prelude, PRECOMPILED)
    with open(header, 'w', encoding='utf-8') as file:
        file.write(''.join(f'#include <{name}>\n' for name in PRELUDE))
    subprocess.run([*compiler, *options(root, prelude), '-x', 'c++-header', header, '-o', header + '.gch'], check=True)


def compile_block(root, compiler, prelude, document, line, code):
    command = [*compiler, *options(root, prelude), '-fsyntax-only', '-x', 'c++', '-']
    done = subprocess.run(command, input=unit(document, line, code), capture_output=True, text=True, check=False)
    return '' if done.returncode == 0 else f'{document}:{line}: this block does not compile\n{done.stderr}'


def flagship_complaint(root):
    """The README shows the sample as it is, or the README is wrong."""
    if not (os.path.isfile(os.path.join(root, 'README.md')) and os.path.isfile(os.path.join(root, SAMPLE))):
        return ''
    sample = read(root, SAMPLE).strip()
    if any(code.strip() == sample for _, code in blocks(read(root, 'README.md'))):
        return ''
    return f'README.md: no block is {SAMPLE} word for word\n'


def complaints(root, compiler):
    work = [(document, line, code) for document in documents(root) for line, code in blocks(read(root, document))]
    with tempfile.TemporaryDirectory() as prelude, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        precompile(root, compiler, prelude)
        found = list(pool.map(lambda block: compile_block(root, compiler, prelude, *block), work))
    return len(work), [text for text in [*found, flagship_complaint(root)] if text]


def self_test(compiler):
    sample = '#include <weft/weft.h>\nint main() { return weft::one; }\n'
    fine = f'# weft\n```cpp\n{sample}```\nText.\n```sh\nnot C++\n```\n'
    cases = [
        ('a sound document', fine, 0),
        ('a fragment', fine + '```cpp\nauto n = weft::one;\nif (n > 5ms / 1ms) return;\n```\n', 0),
        ('a fragment with an include', fine + '```cpp\n#include <map>\nstd::map<int, int> m;\n```\n', 0),
        ('a declaration', fine + '```cpp\n// declaration\ntemplate <class T> struct box {};\n```\n', 0),
        ('a fragment with a mistake', fine + '```cpp\nweft::two();\n```\n', 1),
        ('a program with a mistake', fine + '```cpp\nint main() { return weft::one; }\n```\n', 1),
        ('a flagship that drifted', fine.replace('return weft', 'return 0 * weft'), 1),
    ]
    for claim, text, expected in cases:
        with tempfile.TemporaryDirectory() as root:
            for path, content in (('README.md', text), (SAMPLE, sample), ('include/weft/weft.h', 'namespace weft { inline int one = 1; }\n')):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                    file.write(content)
            found = complaints(root, compiler)[1]
            if len(found) != expected:
                sys.exit(f'self-test: {claim} gave {len(found)} complaints, expected {expected}: {found}')
    print(f'{len(cases)} self-tests passed')


if __name__ == '__main__':
    if len(sys.argv) < 4 or sys.argv[2] != '--compiler':
        sys.exit(__doc__)
    if sys.argv[1] == '--self-test':
        self_test(sys.argv[3:])
        sys.exit(0)
    count, texts = complaints(sys.argv[1], sys.argv[3:])
    print(''.join(texts), end='')
    print(f'{count} code blocks in {len(documents(sys.argv[1]))} documents, {len(texts)} complaints')
    sys.exit(1 if texts else 0)
