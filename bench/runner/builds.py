"""Finding or building the entry of each library: its command, or the reason why it is left out."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

COMPARE = Path("bench/compare")
RELEASE = ["-std=c++20", "-O3", "-DNDEBUG", "-pthread"]
CPP_PEERS = {  # library -> what it needs beyond the compiler: a header to look for, and flags
    "boost_fiber": ("boost/fiber/all.hpp", ["-lboost_fiber", "-lboost_context"]),
    "tbb": ("tbb/task_group.h", ["-ltbb"]),
    "openmp": ("omp.h", ["-fopenmp"]),
    "std_thread": ("thread", []),
    "serial": ("vector", []),
    "bare": ("sys/mman.h", []),
}
PYTHON_PACKAGES = ("uvloop", "gevent", "matplotlib")
SETTINGS = {"weft_dedicated": "dedicated", "weft_inlined": "inlined", "weft_free": "free"}


class Entries:
    """Builds what is asked for once, and remembers what cannot be had."""

    def __init__(self, build):
        self.build = Path(build)
        self.out = self.build / "bench" / "peers"
        self.out.mkdir(parents=True, exist_ok=True)
        self.python = self.build / "bench" / "python"
        self.compiler = os.environ.get("CXX", "g++").split()
        self._known = {}
        self._cargo = None
        self._python_ready = None

    def command(self, race, library):
        """The command line, up to and without VARIANT; or a text that says why there is none."""
        key = (race.problem if race.problem != "hog" else "echo", library)
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, problem, library):
        if library.startswith("weft") or library == "raw_epoll":
            name = "file_server" if problem == "http" else f"{problem}_{library.split('_')[0] if library != 'raw_epoll' else library}"
            program = self.build / ("samples" if problem == "http" else "bench") / name
            return [program] if program.exists() else f"{program} is not built"
        if library in CPP_PEERS:
            return self._compiled(problem, library)
        if library == "go":
            return self._go(problem)
        if library in ("tokio", "rayon"):
            return self._cargo_program(problem, library)
        if library == "nginx":
            found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
            return [found] if found else "nginx is not installed"
        return self._python(problem, library)

    def _is_fresh(self, target, source):
        newest = max(path.stat().st_mtime for path in [source, *(COMPARE / "support").rglob("*.*")])
        return target.exists() and target.stat().st_mtime > newest

    def _compiled(self, problem, library):
        header, flags = CPP_PEERS[library]
        source, target = COMPARE / problem / f"{library}.cpp", self.out / f"{problem}_{library}"
        if self._is_fresh(target, source):
            return [target]
        probe = subprocess.run([*self.compiler, "-fopenmp", "-E", "-x", "c++", "-"], input=f"#include <{header}>\n", text=True,
                               capture_output=True, check=False)
        if probe.returncode != 0:
            return f"<{header}> is not installed"
        return self._built([*self.compiler, *RELEASE, source, "-o", target, *flags], target)

    def _built(self, command, target, where=None):
        print(f"building {target.name}", file=sys.stderr, flush=True)
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd=where)
        if done.returncode != 0:
            return f"it does not build: {done.stderr.strip()[:300]}"
        return [target]

    def _go(self, problem):
        tool = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin")
        if tool is None:
            return "Go is not installed"
        source, target = COMPARE / problem / "go.go", self.out / f"{problem}_go"
        if self._is_fresh(target, source):
            return [target]
        return self._built([tool, "build", "-o", target.resolve(), f"./{problem}/go.go"], target, COMPARE)

    def _cargo_program(self, problem, library):
        tool = shutil.which("cargo", path=os.environ.get("PATH", "") + f":{Path.home()}/.cargo/bin")
        if tool is None:
            return "Cargo is not installed"
        folder = self.build.resolve() / "bench" / "cargo"
        if self._cargo is None:
            self._cargo = self._built([tool, "build", "--release", "--target-dir", folder], folder, COMPARE)
        target = folder / "release" / f"{problem}_{library}"
        if isinstance(self._cargo, str):
            return self._cargo
        return [target] if target.exists() else f"{target} is not built"

    def python_with_packages(self):
        """An interpreter of our own that has what the Python entries and the plots need, or a text."""
        if self._python_ready is None:
            self._python_ready = self._make_python()
        return self._python_ready

    def _make_python(self):
        interpreter, stamp = self.python / "bin" / "python", self.python / "packages.txt"
        if stamp.exists():
            return [interpreter]
        print(f"installing {', '.join(PYTHON_PACKAGES)} for the benchmarks", file=sys.stderr, flush=True)
        steps = [[sys.executable, "-m", "venv", self.python],
                 [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON_PACKAGES]]
        for step in steps:
            done = subprocess.run([str(part) for part in step], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return f"Python packages cannot be installed: {(done.stderr or done.stdout).strip()[-200:]}"
        stamp.write_text("\n".join(PYTHON_PACKAGES), encoding="ascii")
        return [interpreter]

    def _python(self, problem, library):
        script = COMPARE / problem / ("py_gevent.py" if library == "gevent" else "py_asyncio.py")
        ready = self.python_with_packages() if library != "asyncio" else [sys.executable]
        return ready if isinstance(ready, str) else [*ready, script]

    def versions(self):
        """What the entries were built with, as far as it can be asked."""
        def first_line(*command):
            try:
                done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
            except OSError:
                return None
            return (done.stdout + done.stderr).strip().split("\n")[0] or None
        found = {"compiler": first_line(*self.compiler, "--version"),
                 "go": first_line(shutil.which("go") or "/usr/local/go/bin/go", "version"),
                 "nginx": first_line("/usr/sbin/nginx", "-v"),
                 "python": sys.version.split()[0]}
        lock = COMPARE / "Cargo.lock"
        if lock.exists():
            for name, version in re.findall(r'name = "(tokio|rayon)"\nversion = "([^"]+)"', lock.read_text(encoding="utf-8")):
                found[name] = version
        for name in ("uvloop", "gevent"):
            for folder in self.python.glob(f"lib/python*/site-packages/{name}-*.dist-info"):
                found[name] = folder.name.removeprefix(f"{name}-").removesuffix(".dist-info")
        for name, header, macro in (("boost_fiber", "boost/version.hpp", "BOOST_LIB_VERSION"),
                                    ("tbb", "tbb/version.h", "TBB_VERSION_STRING")):
            done = subprocess.run([*self.compiler, "-E", "-P", "-x", "c++", "-"], input=f"#include <{header}>\n{macro}\n",
                                  capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found[name] = done.stdout.strip().split("\n")[-1].replace('"', "").replace(" ", "").replace("_", ".")
        return {name: version for name, version in found.items() if version}


def arguments(race, library, quick):
    """What follows the command: PROGRAM VARIANT CORES SIZE [SETTING]."""
    if race.kind == "http":
        return [] if library in ("weft", "nginx") else [race.variant, race.cores, 0]
    variant = race.variant.split()[0]
    words = [variant, race.cores, race.size_for(library, quick)]
    if library in SETTINGS:
        words.append(SETTINGS[library])
    elif library in ("asyncio", "uvloop"):
        words.append(library)
    return words
