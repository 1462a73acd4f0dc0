#!/usr/bin/env python3
"""Checks the source tree at ROOT: layers, gates and text. Prints path:line: rule: what, and fails on any finding."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gate_rules
import layer_rules
import text_rules
from source_tree import SourceTree

RULES = layer_rules.RULES + gate_rules.RULES + text_rules.RULES


def check(root):
    tree = SourceTree(root)
    return [finding for rule in RULES for finding in rule(tree)]


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit('usage: check.py ROOT')
    findings = check(sys.argv[1])
    for finding in findings:
        print(finding)
    print(f'{len(RULES)} rules, {len(findings)} findings')
    sys.exit(1 if findings else 0)
