"""Races of servers: the server on the first CPUs, one common load generator on the last."""
import hashlib
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from measure import CPUS, Failed, Run, reap, run, start

MESSAGE_BYTES = 512
FILE_BYTES = {"small": 1 << 10, "large": 1 << 20}


def _listening(server):
    """The port out of the line that a server prints."""
    line = server.stdout.readline()
    found = re.search(r":(\d+)\D*$", line)
    if found is None:
        raise Failed(f"the server did not say where it listens: {line.strip()!r}")
    return int(found.group(1))


def _stopped(server):
    server.kill()
    _, usage = reap(server)
    if server.stdout:
        server.stdout.close()
    return usage.ru_utime + usage.ru_stime, usage.ru_nvcsw


def run_echo(race, command, load, seconds):
    server = start(command, CPUS[:race.cores], stdout=subprocess.PIPE)
    try:
        port = _listening(server)
        kind = "stream" if race.variant.startswith("stream") else "pingpong"
        told, _, _ = run([load, kind, port, race.connections, MESSAGE_BYTES, seconds], CPUS[-1:], seconds + 60)
    finally:
        cpu, wakeups = _stopped(server)
    if told["items"] == 0:
        raise Failed("nothing came back")
    percentiles = {name: told[name] for name in ("p50_us", "p99_us", "p999_us")}
    cost = told[race.measure] if race.measure in told else told["seconds"] / told["items"] * 1e9
    return Run(cost, cpu, wakeups, {**percentiles, "per_second": told["items"] / told["seconds"]})


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _fetch(url, patience=5):
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _nginx(command, race, directory, folder):
    """nginx wants a file: fills the template in."""
    port = _free_port()
    text = Path("bench/compare/http/nginx.conf").read_text(encoding="ascii")
    for name, value in (("cores", race.cores), ("folder", folder), ("port", port), ("directory", directory)):
        text = text.replace(f"@{name}@", str(value))
    configuration = Path(folder) / "nginx.conf"
    configuration.write_text(text, encoding="ascii")
    return [*command, "-c", configuration, "-p", folder, "-e", "stderr"], port


def run_http(race, library, command, seconds):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "files"
        directory.mkdir()
        content = hashlib.sha256(race.variant.encode()).digest() * (FILE_BYTES[race.variant] // 32)
        (directory / "file.bin").write_bytes(content)
        Path(folder).chmod(0o755)
        port = 0
        if library == "nginx":
            command, port = _nginx(command, race, directory, folder)
        elif library == "weft":
            command = [*command, "--port", 0, "--cores", race.cores, "--requests-per-connection", 1 << 30, directory]
        else:
            command = [*command, directory]
        server = start(command, CPUS[:race.cores], stdout=subprocess.PIPE)
        try:
            url = f"http://127.0.0.1:{port or _listening(server)}/file.bin"
            if _fetch(url) != content:
                raise Failed("the file that came is not the file that is there")
            told = _wrk(url, race.connections, seconds)
        finally:
            server.terminate() if library == "nginx" else None
            cpu, wakeups = _stopped(server) if library != "nginx" else _ended(server)
        return Run(1e9 / told["per_second"], cpu, wakeups, told)


def _ended(server):
    """nginx takes its workers down itself; their usage counts to it then."""
    _, usage = reap(server)
    server.stdout.close()
    return usage.ru_utime + usage.ru_stime, usage.ru_nvcsw


def _wrk(url, connections, seconds):
    client = start(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", url], CPUS[-1:],
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        text, _ = client.communicate(timeout=seconds + 60)
    except subprocess.TimeoutExpired as late:
        client.kill()
        client.communicate()
        raise Failed("wrk did not come to its end") from late
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if client.returncode != 0 or rate is None or float(rate.group(1)) == 0 or "Non-2xx" in text or "Socket errors" in text:
        raise Failed(f"wrk: {text.strip()[-300:]}")
    told = {"per_second": float(rate.group(1))}
    scale = {"us": 1, "ms": 1e3, "s": 1e6}
    for name, part in (("p50_us", "50"), ("p99_us", "99")):
        found = re.search(rf"^\s+{part}%\s+([\d.]+)(us|ms|s)", text, re.MULTILINE)
        if found:
            told[name] = float(found.group(1)) * scale[found.group(2)]
    return told
