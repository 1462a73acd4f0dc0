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
    purpose, and the one that is compiled by itself."""
    return [Finding(path, 1, 'pragma-once', 'a header needs #pragma once') for path in tree.code_files('')
            if path.endswith('.h') and not path.startswith('include/weft/fiber_safe/')
            and path != 'tests/support/precompiled.h'
            and not re.search(r'^#pragma once$', tree.text(path), re.MULTILINE)]


RULES = (files_are_short, no_left_over_marks, no_path_of_one_machine, headers_guard_themselves)
