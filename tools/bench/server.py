"""A local nginx that answers ranged GETs like path-style S3, and wrk that asks as fast as it can.

It listens on loopback only and keeps everything it writes in the folder of the benchmark.
"""

import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedrock_tuning.dataset.images.source import ByteRange
from tools.bench.measure import CORE
from tools.bench.texts import BUCKET, FOLDER

_CONFIG: Final = """\
# Written by tools/bench/server.py.
daemon off;
{user}
worker_processes 1;
{affinity}
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  open_file_cache max=20000 inactive=1h;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /{bucket}/ {{ alias {bucket_folder}/; }}
    # The same files again and again under other keys: the ETag tells them apart, as in S3.
    location ~ ^/{bucket}/{images}(?<again>[0-9]+)/(?<file>.+)$ {{
      alias {pictures}/$file;
      etag off;
      add_header ETag '"$again-$file"';
    }}
  }}
}}
"""
_WAIT: Final = 10.0


class ToolMissingError(Exception):
    """A program that the benchmark needs is not installed."""


def find_tool(name: str, *, package: str = "") -> str:
    """The path of a program; raises ToolMissingError that says how to get it.

    package: of Debian, where it has another name.
    """
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ToolMissingError(
            f"{name} is not installed (Debian: apt-get install {package or name})"
        )
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running nginx. endpoint: for AWS clients. core: where it runs, None for any."""

    endpoint: str
    core: int | None
    process: int

    def environment(self) -> Mapping[str, str]:
        """What makes AWS clients talk to it and to nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def busy_seconds(self) -> float:
        """CPU time that its worker has used."""
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text("utf-8")
        ticks = 0
        for worker in children.split():
            stat = Path(f"/proc/{worker}/stat").read_text("utf-8").rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serve(folder: Path, *, pictures: Path) -> Iterator[Server]:
    """nginx over folder/bucket, with pictures under any number of keys; stopped at the end.

    Raises ToolMissingError when nginx is not installed, RuntimeError when it does not start.
    """
    nginx = find_tool("nginx")
    home = (folder / "nginx").resolve()
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cores = os.cpu_count() or 1
    core = cores - 1 if cores > 1 else None
    affinity = f"worker_cpu_affinity {1 << core:0{cores}b};" if core else ""
    config = home / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            home=home,
            port=port,
            bucket=BUCKET,
            bucket_folder=(folder / BUCKET).resolve(),
            images=f"{FOLDER}images/",
            pictures=pictures.resolve(),
            affinity=affinity,
            user=_user(),
        ),
        "utf-8",
    )
    process = subprocess.Popen(  # noqa: S603
        [nginx, "-e", f"{home}/error.log", "-p", str(home), "-c", str(config)]
    )
    try:
        _await(process, port, home / "error.log")
        yield Server(endpoint=f"http://127.0.0.1:{port}", core=core, process=process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_WAIT)


def _user() -> str:
    """nginx gives up root's rights, but the benchmark's files may be readable for root alone."""
    return f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _WAIT
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    told = log.read_text("utf-8")[-500:] if log.exists() else ""
    raise RuntimeError(f"nginx does not start: {told}")


_SCRIPT: Final = """\
local requests, at = {{}}, 0
init = function(args)
  for line in io.lines("{list}") do
    local path, range = line:match("^(%S+) (%S+)$")
    requests[#requests + 1] = wrk.format("GET", path, {{ Range = range }})
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""


def wrk(
    server: Server, folder: Path, ranges: Sequence[ByteRange], *, seconds: int, connections: int
) -> dict[str, float]:
    """How fast one core can ask for the very same ranges; raises ToolMissingError without wrk."""
    tool = find_tool("wrk")
    asked, script = folder / "wrk.txt", folder / "wrk.lua"
    asked.write_text(
        "".join(
            f"/{BUCKET}/{each.key} bytes={each.start}-{each.start + each.length - 1}\n"
            for each in ranges
        ),
        "utf-8",
    )
    script.write_text(_SCRIPT.format(list=asked.resolve()), "utf-8")
    command = [
        *(find_tool("taskset"), "-c", str(CORE), tool, "-t1", f"-c{connections}", f"-d{seconds}s"),
        *("-s", str(script), server.endpoint),
    ]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=True
    )
    if "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk was refused: {done.stdout}")
    found = re.search(r"Requests/sec:\s*([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"wrk told no rate: {done.stdout}")
    return {"gets_per_s": float(found[1])}
