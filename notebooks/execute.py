"""Executes a notebook: execute.py NOTEBOOK OUTPUT SECONDS.

Debian's package python3-nbclient brings what this needs. The kernel may call itself idle
before its last outputs have come; plain nbclient then loses them, so reading goes on for a moment.
"""

import asyncio
import os
import sys
from queue import Empty

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

GRACE = 0.3


class PatientClient(NotebookClient):
    """Reads outputs until none has come for a moment after the kernel became idle."""

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        while True:
            try:
                message = await self.kc.get_iopub_msg(timeout=GRACE)
            except (Empty, asyncio.TimeoutError):
                return
            if message["parent_header"].get("msg_id") == parent_msg_id:
                self.process_message(message, cell, cell_index)


def main(notebook, output, seconds):
    book = nbformat.read(notebook, as_version=4)
    client = PatientClient(
        book,
        timeout=seconds,
        kernel_name="deno",
        record_timing=False,
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(notebook))}},
    )
    status = 0
    try:
        client.execute()
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        status = 1
    nbformat.write(book, output)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
