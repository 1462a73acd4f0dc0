"""Who may include what. The order of the layers is that of the subdir() calls in lib/meson.build."""

import os

from source_tree import Finding

# These two stand side by side: neither may see the other.
SIBLINGS = ('sync', 'reactor')
# Private in the sense of the public headers: what a program that includes weft must never need.
PRIVATE_LIBRARIES = ('boost/', 'hwloc', 'concurrentqueue', 'moodycamel', 'blockingconcurrentqueue')


def may_see(tree, layer, other):
    order = tree.layers
    if layer in SIBLINGS and other in SIBLINGS and layer != other:
        return False
    return order.index(other) <= order.index(layer)


def public_header_layers(tree):
    """For each public header the layers it stands on.

    A header that a source of the same name implements belongs to that source's layer (the lowest, if there are
    several). Any other header has the layers of what it includes."""
    home = {}
    for layer in reversed(tree.layers):
        for path in tree.code_files(f'lib/{layer}/'):
            if not path.endswith('.cpp'):
                continue
            stem = os.path.splitext(os.path.basename(path))[0]
            for _, form, name in tree.includes(path):
                if form == '<' and name.startswith('weft/') and os.path.splitext(os.path.basename(name))[0] == stem:
                    home[name] = layer
    reached = {}

    def visit(name, trail):
        if name in reached:
            return reached[name]
        if name in trail or not tree.exists('include/' + name):
            return frozenset()
        layers = {home[name]} if name in home else set()
        for _, form, inner in tree.includes('include/' + name):
            if form == '<' and inner.startswith('weft/'):
                layers |= visit(inner, trail | {name})
        reached[name] = frozenset(layers)
        return reached[name]

    for path in tree.code_files('include/weft/'):
        visit(path[len('include/'):], frozenset())
    return reached


def includes_follow_layers(tree):
    """A file of lib/ includes its own layer and those to the left."""
    rule, found, public = 'layer', [], public_header_layers(tree)
    for path in tree.code_files('lib/'):
        layer = path.split('/')[1]
        if layer not in tree.layers:
            found.append(Finding(path, 1, rule, f'lib/meson.build lists no layer {layer}'))
            continue
        for line, form, name in tree.includes(path):
            if form == '<':
                if name.startswith('weft/'):
                    found += [Finding(path, line, rule, f'<{name}> belongs to {other}, which {layer} may not see')
                              for other in sorted(public.get(name, ())) if not may_see(tree, layer, other)]
                continue
            other = name.split('/')[0]
            if other not in tree.layers or not tree.exists('lib/' + name):
                found.append(Finding(path, line, rule, f'"{name}" is not <layer>/<file> of lib/'))
            elif not may_see(tree, layer, other):
                found.append(Finding(path, line, rule, f'{layer} may not see {other} ("{name}")'))
    return found


def public_headers_stay_public(tree):
    """A public header includes the standard library and <weft/...>, and names no library that weft hides."""
    rule, found = 'public-header', []
    for path in tree.code_files('include/'):
        for line, form, name in tree.includes(path):
            if form == '"':
                found.append(Finding(path, line, rule, f'"{name}": public headers include <weft/...> only'))
            elif name.startswith(PRIVATE_LIBRARIES):
                found.append(Finding(path, line, rule, f'<{name}> must not be needed by users'))
        found += tree.search(path, r'\b(?:boost|hwloc|moodycamel)\b', rule, 'public headers do not know it')
    return found


def tests_include_their_reach(tree):
    """tests/<layer> looks into its own layer and those to the left; tests/api and samples see public headers only."""
    rule, found = 'test-reach', []
    for path in tree.code_files('tests/', 'samples/'):
        folder = path.split('/')[1] if path.startswith('tests/') else 'samples'
        is_public = folder in ('api', 'consumer', 'samples')
        for line, form, name in tree.includes(path):
            if is_public and form == '<' and name.startswith('weft/detail/'):
                found.append(Finding(path, line, rule, f'<{name}> is not for users'))
            if form == '<':
                continue
            other = name.split('/')[0]
            is_private = other in tree.layers and tree.exists('lib/' + name)
            if is_public and is_private:
                found.append(Finding(path, line, rule, f'"{name}" is private; here only <weft/...> is seen'))
            elif is_private and folder in tree.layers and not may_see(tree, folder, other):
                found.append(Finding(path, line, rule, f'a test of {folder} may not see {other} ("{name}")'))
            elif not is_private and not any(tree.exists(at + name) for at in ('tests/', os.path.dirname(path) + '/')):
                found.append(Finding(path, line, rule, f'"{name}" is neither in lib/ nor in tests/'))
    return found


RULES = (includes_follow_layers, public_headers_stay_public, tests_include_their_reach)
