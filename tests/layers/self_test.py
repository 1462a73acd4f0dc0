#!/usr/bin/env python3
"""Shows that every rule of check.py catches what it forbids: a small clean tree, broken in one place at a time."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import check

CLEAN = {
    'lib/meson.build': "subdir('base')\nsubdir('platform')\nsubdir('context')\nsubdir('scheduler')\nsubdir('sync')\n"
                       "subdir('reactor')\nsubdir('io')\n",
    'include/weft/detail/atomic.h': '#pragma once\n#include <atomic>\nusing a = std::atomic<int>;\n',
    'include/weft/mutex.h': '#pragma once\n#include <weft/detail/atomic.h>\n// Boost has one too.\n',
    'include/weft/guard.h': '#pragma once\n#include <weft/mutex.h>\n',
    'lib/base/list.h': '#pragma once\n#include <cstddef>\n',
    'lib/platform/system_calls.cpp': '#include <unistd.h>\nint f(int d) { return ::close(d) ? errno : 0; }\n',
    'lib/platform/system_calls.h': '#pragma once\n',
    'lib/context/switch.h': '#pragma once\ninline void g() { jump_fcontext(); }\n',
    'lib/scheduler/suspend.h': '#pragma once\n#include "context/switch.h"\ninline void s() { switch_to(x, y); }\n',
    'lib/scheduler/here.cpp': 'thread_local int word;\n',
    'lib/scheduler/core.h': '#pragma once\n#include "base/list.h"\n// A comment may say std::atomic, errno and ::read(fd).\n'
                            'constexpr deadline(std::chrono::steady_clock::time_point m); int time(int n); int m = CLOCK_MONOTONIC;\n'
                            'inline int r() { return sys().read(1, "errno", \'e\') + 1\'000; }\n',
    'lib/sync/mutex.cpp': '#include <weft/mutex.h>\n#include "scheduler/core.h"\n',
    'lib/reactor/table.h': '#pragma once\n#include "platform/system_calls.h"\nint read(int); int n = x.close(3);\n',
    'lib/io/file.cpp': '#include "reactor/table.h"\n#include <weft/guard.h>\n',
    'tests/support/seed.h': '#pragma once\n',
    'tests/sync/mutex_test.cpp': '#include "support/seed.h"\n#include "scheduler/core.h"\n'
                                 'TEST(mutex, lets_one_in) { weft::this_fiber::sleep_for(1ms); }\n',
    'tests/stress/storm.cpp': 'void t() { std::this_thread::sleep_for(1ms); }\n',
    'tests/api/hello_test.cpp': '#include <weft/mutex.h>\n#include "support/seed.h"\n',
    'samples/hello.cpp': '#include <weft/mutex.h>\n',
    'tests/runtime/idle_test.py': 'pass\n',
    'docs/testing.md': '# Testing\n\n## Hazards\n\n| hazard | tests |\n|---|---|\n'
                       '| a lock | `mutex.*`, `mutex.lets_one_in`; `mu*`; `runtime`: `idle` |\n',
    'docs/guide.md': 'Install under /usr/local; scratch files match /tmp/weft-XXXXXX/.\n',
}

# (rule, file, text that is appended to it)
BROKEN = [
    ('layer', 'lib/base/list.h', '#include "scheduler/core.h"\n'),
    ('layer', 'lib/sync/mutex.cpp', '#include "reactor/table.h"\n'),
    ('layer', 'lib/reactor/table.h', '#include <weft/guard.h>\n'),
    ('layer', 'lib/base/list.h', '#include <weft/mutex.h>\n'),
    ('layer', 'lib/io/file.cpp', '#include "absent.h"\n'),
    ('layer', 'lib/extra/new.cpp', ''),
    ('public-header', 'include/weft/mutex.h', '#include "scheduler/core.h"\n'),
    ('public-header', 'include/weft/mutex.h', '#include <boost/config.hpp>\n'),
    ('public-header', 'include/weft/mutex.h', 'using q = moodycamel::ConcurrentQueue<int>;\n'),
    ('test-reach', 'tests/api/hello_test.cpp', '#include "scheduler/core.h"\n'),
    ('test-reach', 'tests/api/hello_test.cpp', '#include <weft/detail/atomic.h>\n'),
    ('test-reach', 'samples/hello.cpp', '#include "scheduler/core.h"\n'),
    ('test-reach', 'tests/sync/mutex_test.cpp', '#include "reactor/table.h"\n'),
    ('test-reach', 'tests/sync/mutex_test.cpp', '#include "nowhere.h"\n'),
    ('atomics-gate', 'lib/scheduler/core.h', 'std::atomic<int> n;\n'),
    ('atomics-gate', 'lib/scheduler/core.h', '#include <atomic>\n'),
    ('atomics-gate', 'include/weft/mutex.h', 'auto o = std::memory_order_relaxed;\n'),
    ('atomics-gate', 'lib/sync/mutex.cpp', 'int i = __atomic_load_n(&p, 0);\n'),
    ('thread-local-gate', 'lib/sync/mutex.cpp', 'static thread_local int n;\n'),
    ('thread-local-gate', 'include/weft/guard.h', 'extern __thread int n;\n'),
    ('system-call-gate', 'lib/io/file.cpp', 'auto n = ::read(fd, p, 1);\n'),
    ('system-call-gate', 'lib/io/file.cpp', 'int e = epoll_wait(q, v, 1, 0);\n'),
    ('system-call-gate', 'lib/io/file.cpp', 'int e = errno;\n'),
    ('system-call-gate', 'lib/io/file.cpp', '#include <sys/epoll.h>\n'),
    ('system-call-gate', 'lib/io/file.cpp', 'std::thread t;\n'),
    ('system-call-gate', 'lib/io/file.cpp', 'auto t = pthread_self();\n'),
    ('system-call-gate', 'lib/io/file.cpp', 'void w() { std::this_thread::sleep_for(d); }\n'),
    ('system-call-gate', 'lib/platform/poller.cpp', 'int e = ::close(fd);\n'),
    ('clock-gate', 'lib/platform/system_calls.cpp', 'int c = CLOCK_REALTIME;\n'),
    ('clock-gate', 'lib/platform/system_calls.h', 'int w = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;\n'),
    ('clock-gate', 'lib/sync/mutex.cpp', 'auto t = std::chrono::system_clock::now();\n'),
    ('clock-gate', 'include/weft/guard.h', 'using c = std::chrono::high_resolution_clock;\n'),
    ('clock-gate', 'include/weft/guard.h', 'auto t = std::chrono::steady_clock::now();\n'),
    ('clock-gate', 'lib/io/file.cpp', 'auto t = std::time(nullptr);\n'),
    ('clock-gate', 'lib/io/file.cpp', 'int e = gettimeofday(&t, nullptr);\n'),
    ('suspension-gate', 'lib/sync/mutex.cpp', 'void w() { switch_to(a, b); }\n'),
    ('suspension-gate', 'lib/scheduler/core.h', 'inline void w() { jump_fcontext(a, b); }\n'),
    ('no-sleep', 'tests/sync/mutex_test.cpp', 'void w() { std::this_thread::sleep_for(1ms); }\n'),
    ('no-sleep', 'tests/api/hello_test.cpp', 'void w() { usleep(5); }\n'),
    ('fiber-trace', 'tests/api/hello_test.cpp', 'void w() { SCOPED_TRACE("here"); }\n'),
    ('length', 'lib/io/file.cpp', '\n' * 400),
    ('length', 'dev', '\n' * 401),
    ('mark', 'lib/io/file.cpp', '// TO' 'DO: later\n'),
    ('mark', 'docs/guide.md', 'FIX' 'ME\n'),
    ('machine-path', 'docs/guide.md', 'See /ho' 'me/ada/weft.\n'),
    ('machine-path', 'tests/sync/mutex_test.cpp', 'auto p = "/t' 'mp/ada/log";\n'),
    ('named-test', 'docs/testing.md', '| a cat | `cat.*` |\n'),
    ('named-test', 'docs/testing.md', '| a lock | `mutex.lets_two_in` |\n'),
    ('named-test', 'docs/testing.md', '| a lock | `runtime`: `busy` |\n'),
    ('pragma-once', 'lib/io/bare.h', 'int n;\n'),
]


class Rules(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                    file.write(text)
            return check.check(root)

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual([str(f) for f in self.findings(CLEAN)], [])

    def test_each_rule_catches_what_it_forbids(self):
        for rule, path, text in BROKEN:
            with self.subTest(rule=rule, path=path, text=text.strip()[:60]):
                found = self.findings({**CLEAN, path: CLEAN.get(path, '') + text})
                self.assertEqual({f.rule for f in found}, {rule}, found)
                self.assertEqual({f.path for f in found}, {path}, found)

    def test_every_rule_is_tried(self):
        self.assertGreaterEqual(len({rule for rule, _, _ in BROKEN}), len(check.RULES))


if __name__ == '__main__':
    unittest.main()
