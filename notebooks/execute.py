"""Executes a notebook: execute.py NOTEBOOK OUTPUT SECONDS [MODEL].

Debian's package python3-nbclient brings what this needs. The kernel may call itself idle
before its last outputs have come; plain nbclient then loses them, so reading goes on for a moment.
"""

import asyncio
import json
import os
import sys
from queue import Empty

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

GRACE = 0.3
# The one variable by which a notebook takes another model.
MODEL = "const MODEL: string | undefined = undefined;"


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


def choose_model(book, model):
    for cell in book.cells:
        if MODEL in cell.source:
            chosen = MODEL.replace("= undefined", "= " + json.dumps(model))
            cell.source = cell.source.replace(MODEL, chosen)
            return
    print("no model is named in this notebook; it runs as it is", file=sys.stderr)


def main(notebook, output, seconds, model=None):
    book = nbformat.read(notebook, as_version=4)
    if model is not None:
        choose_model(book, model)
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
    except CellTimeoutError:
        print(f"a cell took more than {seconds} seconds", file=sys.stderr)
        status = 1
    except DeadKernelError:
        print("the kernel died; perhaps there was not enough memory", file=sys.stderr)
        status = 1
    nbformat.write(book, output)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
