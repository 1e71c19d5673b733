"""Where the processes of one command leave each other word."""

import socket

import torch.distributed as dist

LOOPBACK = ("127.0.0.1", "localhost")


def open_store(host: str) -> dist.TCPStore:
    """A store in this process, at a free port; on the loopback address it hears nobody else.

    Args:
        host: this machine, as the other processes call it.
    """
    if host not in LOOPBACK:
        return dist.TCPStore(host, 0, is_master=True, wait_for_workers=False)
    heard = socket.create_server((LOOPBACK[0], 0))
    port = heard.getsockname()[1]
    return dist.TCPStore(
        host, port, is_master=True, wait_for_workers=False, master_listen_fd=heard.detach()
    )
