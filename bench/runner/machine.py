"""The machine that a run took place on."""
import os
import platform
import re


def _first(path, pattern):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def describe():
    return {
        "cpu": _first("/proc/cpuinfo", r"^model name\s*:\s*(.*)$") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "virtual": " hypervisor" in (_first("/proc/cpuinfo", r"^flags\s*:(.*)$") or ""),
        "memory_gib": round(int(_first("/proc/meminfo", r"^MemTotal:\s+(\d+)") or 0) / 2**20, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
    }


def sentence(machine):
    kind = "a virtual machine with " if machine["virtual"] else ""
    return (f"{kind}{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB of memory, "
            f"{machine['system']}")


def load():
    """How busy others keep the machine: the load average of the last minute."""
    return os.getloadavg()[0]
