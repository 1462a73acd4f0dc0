#!/usr/bin/env python3
"""Closes a test run with what failed, one `failed: ...` for each, and `N passed, N failed`: the cases of GoogleTest
programs one by one, any other test as one.

usage: count_results.py MESON_LOGS STATUS_OF_MESON"""

import glob
import json
import sys
import xml.etree.ElementTree as xml

WELL = ('OK', 'EXPECTEDFAIL', 'SKIP')


def in_short(reason):
    """The first lines of a failure, as one."""
    text = max(reason.get('message') or '', reason.text or '', key=len)
    return ' | '.join(text.strip().split('\n'))[:600]


logs, status = sys.argv[1], int(sys.argv[2])
suites = []  # (name, passed, failed) of each suite that a GoogleTest program reported
complaints = []  # What failed, and how.
for path in glob.glob(logs + '/testlog*.junit.xml'):
    for suite in xml.parse(path).getroot().iter('testsuite'):
        ill = 0
        for case in suite.iter('testcase'):
            reasons = case.findall('failure') + case.findall('error')
            ill += bool(reasons)
            complaints += [f"{case.get('classname', '')}.{case.get('name', '')}: {in_short(reason)}" for reason in reasons[:3]]
        idle = sum(case.find('skipped') is not None or case.get('status', 'run') != 'run' for case in suite.iter('testcase'))
        suites.append((suite.get('name', ''), len(list(suite.iter('testcase'))) - ill - idle, ill))
results = {}  # test -> its results, several with --repeat
last_words = {}  # test -> the end of what it said when it did not do well
for path in glob.glob(logs + '/testlog*.json'):
    for line in open(path, encoding='utf-8', errors='replace'):
        test = json.loads(line)
        results.setdefault(test['name'], []).append(test['result'])
        if test['result'] not in WELL:
            said = (test.get('stdout') or '') + (test.get('stderr') or '')
            last_words[test['name']] = f"{test['result']}, ends with: " + ' | '.join(said.strip().split('\n')[-8:])[-900:]
passed = failed = 0
for name, outcomes in results.items():
    bad = sum(outcome not in WELL for outcome in outcomes)
    forms = tuple(f'.{form}.' for form in (name, name.rsplit(' / ', 1)[-1]))
    inner = [suite for suite in suites if suite[0][suite[0].find('.'):].startswith(forms)]
    if bad and not any(suite[2] for suite in inner):
        complaints.append(f'{name}: {last_words[name]}')
    passed += sum(suite[1] for suite in inner) if inner else sum(outcome in ('OK', 'EXPECTEDFAIL') for outcome in outcomes)
    failed += max(bad, sum(suite[2] for suite in inner))
if passed + failed == 0:
    print('dev: no test ran; ./dev test --list shows the names', file=sys.stderr)
elif failed:
    print(f'dev: what failed stands above and in {logs}/testlog.txt', file=sys.stderr)
elif status != 0:
    print(f'dev: Meson ended with status {status}, see above', file=sys.stderr)
sys.stderr.flush()
for complaint in complaints:
    print('failed:', complaint)
print(f'{passed} passed, {failed} failed', flush=True)
sys.exit(0 if passed and not failed and status == 0 else 1)
