"""What the text of a file must not hold."""

import re

from source_tree import CODE, Finding

LONGEST = 400
LONG_ON_PURPOSE = ()  # Generated tables only.

# Spelt in halves, so that this file does not hold what it forbids.
_MARK = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX|HA' r'CK)\b')
_MACHINE = re.compile(r'(?<![\w.$}>-])/(?:work|home|root|farm|Users|mnt)/\w+|(?<![\w.$}>-])/tmp/(?!\S*X{6})\w+/')


def files_are_short(tree):
    """Over 400 lines a file is two things."""
    return [Finding(path, LONGEST, 'length', f'{lines} lines; {LONGEST} is the limit: which two things is it?')
            for path in tree.text_files
            if (path.endswith(CODE + ('.py',)) or '.' not in path.rsplit('/', 1)[-1]) and path not in LONG_ON_PURPOSE
            and (lines := tree.text(path).count('\n')) > LONGEST]


def _lines(tree, pattern, rule, why):
    return [Finding(path, number, rule, f'{match.group(0)}: {why}')
            for path in tree.text_files for number, line in enumerate(tree.text(path).split('\n'), 1)
            for match in pattern.finditer(line)]


def no_left_over_marks(tree):
    return _lines(tree, _MARK, 'mark', 'finish it or leave it out')


def no_path_of_one_machine(tree):
    return _lines(tree, _MACHINE, 'machine-path', 'a path of one machine')


def headers_guard_themselves(tree):
    """Every header begins with #pragma once, but for the two that wrap system headers, which are included again on
    purpose, and those that are compiled by themselves."""
    return [Finding(path, 1, 'pragma-once', 'a header needs #pragma once') for path in tree.code_files('')
            if path.endswith('.h') and not path.startswith('include/weft/fiber_safe/')
            and not path.endswith('/precompiled.h')
            and not re.search(r'^#pragma once$', tree.text(path), re.MULTILINE)]


_TEST = re.compile(r'\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|WEFT_TEST|WEFT_TEST_EACH_REACTOR)\((\w+),\s*(\w+)\)')
_HAZARD = re.compile(r'^\|[^|\n]*\|([^|\n]*)\|$', re.MULTILINE)


def hazards_have_tests(tree):
    """Each test that the table of hazards names is there: `suite.claim` and `suite.*`, a program, or a folder."""
    document, begin = 'docs/testing.md', '\n## Hazards'
    if not tree.exists(document) or begin not in (text := tree.text(document)):
        return []
    start = text.index(begin) + 1
    tests = {name for path in tree.code_files('tests/') for m in _TEST.finditer(tree.code(path))
             for name in (m.group(1) + '.' + m.group(2), m.group(1) + '.')}
    parts = {part for path in tree.text_files if path.startswith('tests/') for part in path.split('/')[1:]}
    parts |= {re.sub(r'(?:_test)?\.\w+$', '', part) for part in parts}
    return [Finding(document, text.count('\n', 0, cell.start(1)) + 1, 'named-test', f'{name}: there is no such test')
            for cell in _HAZARD.finditer(text, start, text.find('\n## ', start) + 1 or len(text))
            for name in re.findall(r'`([^`]+)`', cell.group(1))
            if name not in parts and not any(each.startswith(name.rstrip('*')) if name.endswith('*') else each == name for each in tests)]


RULES = (files_are_short, no_left_over_marks, no_path_of_one_machine, headers_guard_themselves, hazards_have_tests)
