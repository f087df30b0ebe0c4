"""``python -m simulators serve``: both stand-ins in one process, standard library only."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from simulators import faults
from simulators.collection import Collection
from simulators.marketing import Marketing
from simulators.population import populate
from simulators.server import PageServer
from simulators.store import Store

VERSIONS = ("2.3", "2.4")
_PR_SET_PDEATHSIG = 1


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description="Stand-ins for 营销2.0 and 采集2.0.")
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="serve both systems on 127.0.0.1")
    serve.add_argument("--version", choices=VERSIONS, default="2.3")
    serve.add_argument("--seed", type=int, default=1)
    serve.add_argument("--orders", type=int, default=20, help="work orders of 复电复核; decoys come on top")
    serve.add_argument("--faults", default="none", help=f"none, all or a comma list of {', '.join(faults.NAMES)}")
    serve.add_argument("--time-factor", type=float, default=1.0, help="scales how long the clients take")
    serve.add_argument("--database", type=Path, help="truth; an existing one is continued (default: a temporary file)")
    serve.add_argument("--marketing-port", type=int, default=0)
    serve.add_argument("--collection-port", type=int, default=0)
    serve.add_argument("--control", action="store_true", help="open POST /__control for tests")
    return parser


def die_with_parent() -> None:
    """Linux: end when the starter ends, however it ends."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


def serve(options: argparse.Namespace) -> int:
    active = faults.parse(options.faults)
    if options.time_factor < 0 or options.orders < 0:
        raise ValueError("--time-factor and --orders must not be negative")
    path = options.database or Path(tempfile.mkdtemp(prefix="simulators-")) / "truth.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    store = Store(path)
    with store.open() as db:
        if db.execute("SELECT count(*) FROM meta").fetchone()[0] == 0:
            populate(db, options.seed, options.orders, active, time.time())
            made = {"seed": options.seed, "orders": options.orders, "faults": ",".join(sorted(active)), "made_at": time.time()}
            db.executemany("INSERT INTO meta VALUES (?,?)", [(k, str(v)) for k, v in made.items()])
    systems = (
        PageServer(
            options.marketing_port,
            Marketing(store, faults.Faults(active, options.seed, "marketing"), options.time_factor),
            options.version,
            options.control,
        ),
        PageServer(
            options.collection_port,
            Collection(store, faults.Faults(active, options.seed, "collection"), options.time_factor),
            options.version,
            options.control,
        ),
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    for system in systems:
        threading.Thread(target=system.serve_forever, args=(0.05,), daemon=True).start()
    print(json.dumps({"marketing": systems[0].url, "collection": systems[1].url, "database": str(path)}), flush=True)
    stop.wait()
    for system in systems:
        system.shutdown()
        system.server_close()
    store.close()
    return 0


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    die_with_parent()
    try:
        return serve(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
