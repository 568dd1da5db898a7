"""DBOS, set up as its documentation says, with PostgreSQL as its system database. Runs in the venv of the peers.

`… steps URL WORKFLOWS STEPS`   performs workflows side by side; prints the times when their steps began, a list for each
`… answers URL TIMES`           sends messages to workflows that wait; prints how many ms after the call each went on
`… send URL`                    sends a message to each id on stdin, from a process of its own; prints the time of the call

Times are µs of the monotonic clock. Both of DBOS's forms are tried, functions on threads and coroutines.
"""

import asyncio
import json
import subprocess
import sys
import time

from dbos import DBOS, DBOSClient, SetWorkflowID

THREADS = 64
WAITS_BY_S = 0.2  # a workflow that was started waits for its message by then


def now() -> int:
    return time.monotonic_ns() // 1000


async def now_async() -> int:
    return now()


@DBOS.workflow()  # type: ignore[untyped-decorator]  # it is not installed where types are checked
def threaded(steps: int) -> list[int]:
    return [DBOS.run_step(None, now) for _ in range(steps)]


@DBOS.workflow()  # type: ignore[untyped-decorator]  # it is not installed where types are checked
async def coroutine(steps: int) -> list[int]:
    return [await DBOS.run_step_async(None, now_async) for _ in range(steps)]


@DBOS.workflow()  # type: ignore[untyped-decorator]  # it is not installed where types are checked
def receiving() -> int:
    DBOS.recv("answer", 60)
    return now()


@DBOS.workflow()  # type: ignore[untyped-decorator]  # it is not installed where types are checked
async def receiving_async() -> int:
    await DBOS.recv_async("answer", 60)
    return now()


def steps(workflows: int, count: int) -> dict[str, list[list[int]]]:
    handles = [DBOS.start_workflow(threaded, count) for _ in range(workflows)]
    on_threads = [handle.get_result() for handle in handles]
    return {"threads": on_threads, "coroutines": asyncio.run(_steps(workflows, count))}


async def _steps(workflows: int, count: int) -> list[list[int]]:
    handles = [await DBOS.start_workflow_async(coroutine, count) for _ in range(workflows)]
    return [await handle.get_result() for handle in handles]


def answers(url: str, times: int) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "bench.peers.dbos_workflows", "send", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        on_threads = [_answer(f"thread {n} {now()}", sender) for n in range(times)]
        coroutines = asyncio.run(_answers(times, sender))
        sender.kill()
    return {"threads": on_threads, "coroutines": coroutines}


def _answer(workflow_id: str, sender: subprocess.Popen[str]) -> float:
    with SetWorkflowID(workflow_id):
        handle = DBOS.start_workflow(receiving)
    time.sleep(WAITS_BY_S)
    called = _send(workflow_id, sender)
    return float(handle.get_result() - called) / 1000


async def _answers(times: int, sender: subprocess.Popen[str]) -> list[float]:
    return [await _answer_async(f"coroutine {n} {now()}", sender) for n in range(times)]


async def _answer_async(workflow_id: str, sender: subprocess.Popen[str]) -> float:
    with SetWorkflowID(workflow_id):
        handle = await DBOS.start_workflow_async(receiving_async)
    await asyncio.sleep(WAITS_BY_S)
    called = await asyncio.to_thread(_send, workflow_id, sender)
    return float(await handle.get_result() - called) / 1000


def _send(workflow_id: str, sender: subprocess.Popen[str]) -> int:
    """Lets the sender send. Returns when it began."""
    assert sender.stdin is not None
    assert sender.stdout is not None
    sender.stdin.write(f"{workflow_id}\n")
    sender.stdin.flush()
    return int(sender.stdout.readline())


def send(url: str) -> None:
    client = DBOSClient(system_database_url=url)
    for line in sys.stdin:
        called = now()
        client.send(line.strip(), {}, "answer")
        print(called, flush=True)


def main(act: str, url: str, *arguments: int) -> None:
    config = {
        "name": "bench",
        "system_database_url": url,
        "log_level": "ERROR",
        "run_admin_server": False,
        "max_executor_threads": THREADS,
        "sys_db_pool_size": THREADS,
    }
    DBOS(config=config)
    DBOS.launch()
    print(json.dumps(steps(*arguments) if act == "steps" else answers(url, *arguments)), flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2])
    else:
        main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
