"""One worker: uvicorn on the socket that its parent opened: `python -m iwrouting.server.worker ...`."""

from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType

import uvicorn

from iwrouting.conf import SettingsError, settings
from iwrouting.meters import use
from iwrouting.server.connection import Connection
from iwrouting.server.words import let_go_of_words

PARENT_POLL_S = 0.2
LAST_WORDS_S = 0.6
CUT_S = 1.5
"""So long, after IW_DRAIN_S, calls that were ended have to tell their callers; then their connections are cut."""

orphaned = threading.Event()


def main() -> int:
    """Serve until told to stop; 0 after a clean end."""
    parser = argparse.ArgumentParser(prog="iwrouting.server.worker")
    parser.add_argument("--fd", type=int, required=True, help="The listening socket, opened by the parent.")
    parser.add_argument("--parent", type=int, required=True, help="The parent's process id: without it, we leave.")
    parser.add_argument("--meters", type=int, required=True, help="The memory of the metrics, kept by the parent.")
    parser.add_argument("--number", type=int, required=True, help="Which of the parent's workers this is, from 0.")
    given = parser.parse_args()
    use(given.meters, given.number, given.parent)
    threading.Thread(target=_leave_with_parent, args=(given.parent,), name="iw-parent", daemon=True).start()
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # blocked by the parent, see Supervisor._start
        server = DrainingServer(_config())
        server.run(sockets=[socket.socket(fileno=given.fd)])
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        let_go_of_words()
    return 0 if server.started else 1


class DrainingServer(uvicorn.Server):
    """uvicorn that tells the application at the signal, not only after the last call has ended or was cut."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain.

        uvicorn's own would also note the signal, to die of it in the end: a drained worker ends with 0.
        """
        app = getattr(self.config, "loaded_app", None)  # not there while the application is being imported
        if drain := getattr(app, "drain", None):
            drain(now=orphaned.is_set())
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _config() -> uvicorn.Config:
    conf = settings()
    return uvicorn.Config(
        "config.asgi:application",
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=math.ceil(conf.drain_s + CUT_S),
    )


def _leave_with_parent(parent: int) -> None:
    """End within a second of losing the parent: as at the end of a drain, so that rows are stored, then for good."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    orphaned.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_WORDS_S)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
