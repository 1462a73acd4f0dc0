"""The source tree as the rules see it: files, their code without comments and strings, and their includes."""

import functools
import os
import re
from dataclasses import dataclass

# Comments, then literals. A raw string ends at its own delimiter; an apostrophe between digits is a separator.
_TOKEN = re.compile(
    r'(?P<comment>//[^\n]*|/\*.*?\*/)'
    r'|R"(?P<mark>[^(\s]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include(?:_next)?[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

CODE = ('.h', '.cpp')
TEXT = CODE + ('.py', '.md', '.build', '.txt', '.sh', '.in', '.cmake', '.yml')
NO_SUFFIX = ('dev', '.ci/run', 'samples/demo', '.clang-format', '.clang-tidy')


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.rule}: {self.text}'


def _blank(match):
    return re.sub(r'[^\n]', ' ', match.group(0))


class SourceTree:
    def __init__(self, root):
        self.root = root

    @functools.cached_property
    def text_files(self):
        """Every file of ours that people read, by path relative to the root, '/' as separator."""
        found = [name for name in NO_SUFFIX if os.path.isfile(os.path.join(self.root, name))]
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(f for f in folders if not f.startswith(('.', 'build', '__pycache__')))
            for name in names:
                if name.endswith(TEXT):
                    found.append(os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, '/'))
        return sorted(set(found))

    def code_files(self, *prefixes):
        return [f for f in self.text_files if f.endswith(CODE) and f.startswith(prefixes)]

    def exists(self, path):
        return os.path.isfile(os.path.join(self.root, path))

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        with open(os.path.join(self.root, path), encoding='utf-8', errors='replace') as file:
            return file.read()

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        """The text with comments and the insides of literals blanked; line numbers stay."""
        return _TOKEN.sub(_blank, self.text(path))

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        """(line, '<' or '"', name) of each include that is not commented out."""
        bare = _TOKEN.sub(lambda m: _blank(m) if m.group('comment') else m.group(0), self.text(path))
        return [(bare.count('\n', 0, m.start()) + 1, m.group(1), m.group(2)) for m in _INCLUDE.finditer(bare)]

    @functools.cached_property
    def layers(self):
        """The layers from low to high, as lib/meson.build lists them."""
        return re.findall(r"^subdir\('(\w+)'\)", self.text('lib/meson.build'), re.MULTILINE)

    def search(self, path, pattern, rule, why):
        """A finding for each match of `pattern` in the code of `path`."""
        code = self.code(path)
        return [Finding(path, code.count('\n', 0, m.start()) + 1, rule, f'{m.group(0).strip()}: {why}')
                for m in re.finditer(pattern, code)]
