#!/usr/bin/python3
"""Workers as they are started, with limn as their painter, one behaviour after the other.

    workers.py --limn build/limn --submit-jobs build/tests/submit_jobs --inputs FOLDER [NAME...]
"""
import argparse
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from workshop import Workshop

QUICK = ("--beat", 0.2, "--lease", 2, "--checkpoint-every", 0.1, "--grace", 20)
# A painting of hours, were it left alone.
LONG = {"optimiser.iterations": 100000, "optimiser.kind": "adam", "optimiser.learning_rate": 0.001,
        "optimiser.plateau": 0, "picture.size": 64}
# One of a few seconds, which can be broken off.
MEDIUM = {"optimiser.iterations": 120, "optimiser.plateau": 0, "picture.size": 64}


def expect(condition, message):
    """Fails with the message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def painting(shop, job, iteration=3):
    """Waits until the job has come as far as this iteration; its painter's process."""
    shop.until(f"{job} at iteration {iteration}", lambda: shop.progress(job) >= iteration)
    return shop.until("its painter", lambda: [p for p, j in shop.painters().items() if j == job])[0]


def test_killed_painter_goes_on(shop):
    """kill -9 after a checkpoint: the same bytes as undisturbed."""
    job, = shop.submit(**MEDIUM)
    shop.start("one", *QUICK)
    os.kill(painting(shop, job, 40), signal.SIGKILL)
    shop.wait_for(job, "done")
    expect(shop.rows[job]["attempts"] == 2 and shop.rows[job]["kills"] == 1, shop.rows[job])
    expect("continuing from iteration" in shop.log(job), shop.log(job))
    same, = shop.submit(**MEDIUM)
    shop.wait_for(same, "done")
    expect(shop.rows[same]["attempts"] == 1, shop.rows[same])
    expect(shop.path(job, "result.png").read_bytes() == shop.path(same, "result.png").read_bytes(),
           "the picture that was broken off is another one")
    expect(str(shop.folder) not in shop.path(job, "report.json").read_text(),
           "the report names the server's folders")
    # The picture says what it was painted from, by the names that the client gave.
    verified = subprocess.run(
        [shop.limn, "replay", shop.path(job, "result.png"), shop.inputs / "photo.png",
         shop.inputs / "painting.png", "--verify", "--quiet"], capture_output=True, text=True,
        timeout=120, check=False)
    expect("identical" in verified.stdout, verified)


def test_killed_twice_fails(shop):
    """A job that kills its painter twice has failed, and says why; others are painted."""
    bad, = shop.submit(**LONG)
    good, = shop.submit()
    shop.start("one", *QUICK)
    os.kill(painting(shop, bad), signal.SIGKILL)
    shop.until("another painter", lambda: shop.list()[bad]["attempts"] == 2)
    os.kill(shop.until("it paints", lambda: [p for p, j in shop.painters().items() if j == bad])[0],
            signal.SIGKILL)
    row = shop.wait_for(bad, "failed")
    expect(row["kills"] == 2 and "signal 9" in row["reason"], row)
    shop.wait_for(good, "done")


def test_killed_worker(shop):
    """A worker that is killed: its painter dies too, another worker goes on from the state."""
    job, = shop.submit(**MEDIUM)
    shop.start("one", *QUICK)
    painting(shop, job, 20)
    shop.start("two", *QUICK)
    shop.kill("one")
    shop.until("its painter dies", lambda: shop.list()[job]["worker"] != "one" or
               not shop.painters(), 10)
    row = shop.wait_for(job, "done")
    expect(row["attempts"] == 2 and row["kills"] == 0, row)
    expect("by 'two'" in shop.log(job) and "continuing from iteration" in shop.log(job),
           shop.log(job))


def test_cancel(shop):
    """Cancelling keeps the best picture; a retry goes on from there."""
    job, = shop.submit(**LONG)
    waiting, = shop.submit(**LONG)
    shop.start("one", *QUICK)
    painting(shop, job)
    shop.call("cancel", waiting)
    shop.call("cancel", job)
    row = shop.wait_for(job, "cancelled", 20)
    expect(row["interrupted"] and shop.path(job, "result.png").exists(), row)
    expect(shop.list()[waiting]["state"] == "cancelled", shop.rows[waiting])
    reached = shop.progress(job)
    shop.call("retry", job)
    painting(shop, job, reached + 1)
    expect("continuing from iteration" in shop.log(job), shop.log(job))


def test_preview(shop):
    """A full job yields to a preview, and goes on from its state."""
    full, = shop.submit(**LONG)
    shop.start("one", *QUICK)
    painting(shop, full)
    began = time.monotonic()
    preview, = shop.submit(words=("preview",))
    shop.wait_for(preview, "done")
    took = time.monotonic() - began
    reached = shop.progress(full)
    painting(shop, full, reached + 1)
    row = shop.list()[full]
    expect(row["state"] == "running" and row["attempts"] == 2 and row["kills"] == 0, row)
    expect("continuing from iteration" in shop.log(full), shop.log(full))
    print(f"  a preview behind a full job was there after {took:.1f} s")


def test_drain(shop):
    """SIGTERM: states are saved, jobs handed back, code 0; the next worker goes on."""
    jobs = shop.submit(2, **MEDIUM)
    shop.start("one", *QUICK, "--painters", 2)
    for job in jobs:
        painting(shop, job, 5)
    code = shop.drain("one")
    expect(code == 0, f"code {code}")
    expect(not shop.painters(), "a painter is left")
    for job in jobs:
        row = shop.list()[job]
        expect(row["state"] == "waiting" and row["kills"] == 0, row)
        expect(shop.path(job, "state.limn").exists(), f"{job} has no state")
    shop.start("two", *QUICK)
    for job in jobs:
        shop.wait_for(job, "done")
        expect("continuing from iteration" in shop.log(job), shop.log(job))


def test_damaged_state(shop):
    """A state that cannot be read costs the work, not the job."""
    job, = shop.submit(**MEDIUM)
    shop.path(job, "").mkdir(parents=True)
    shop.path(job, "state.limn").write_bytes(b"limn checkpoint" + bytes(1000))
    shop.start("one", *QUICK)
    shop.wait_for(job, "done")
    expect("begins anew" in shop.log(job), shop.log(job))


def test_too_large(shop):
    """What needs too much memory fails with the reason, before or while it is painted."""
    large, = shop.submit(**{"picture.size": 30000})
    small, = shop.submit()
    shop.start("one", *QUICK, "--memory", "300M")
    row = shop.wait_for(large, "failed")
    expect("of memory" in row["reason"], row)
    shop.wait_for(small, "done")


def test_locked_store(shop):
    """A store that cannot be written for a while: the painting goes on, the job is done."""
    job, = shop.submit(**MEDIUM)
    shop.start("one", *QUICK)
    painting(shop, job, 5)
    with contextlib.closing(sqlite3.connect(shop.store, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        shop.until("the painting goes on", lambda: shop.path(job, "result.png").exists(), 60)
        lock.execute("ROLLBACK")
    row = shop.wait_for(job, "done")
    expect(row["attempts"] == 1, row)


def test_hostile_pictures(shop):
    """Files that are no pictures, and pictures that say they are larger than they are."""
    bad = shop.folder / "bad"
    bad.mkdir()
    (bad / "text.jpg").write_text("not a picture")
    (bad / "cut.png").write_bytes((shop.inputs / "photo.png").read_bytes()[:900])
    huge = bytearray((shop.inputs / "photo.png").read_bytes())
    huge[16:24] = b"\x00\x0f\x00\x00\x00\x0f\x00\x00"
    (bad / "huge.png").write_bytes(huge)
    jobs = []
    for name in ("text.jpg", "cut.png", "huge.png"):
        output = shop.call("submit", "paint", 1, "limn", f"photo={bad / name}",
                           f"painting={shop.inputs / 'painting.png'}", "picture.size:48")
        jobs += [(output.strip(), name)]
    good, = shop.submit()
    shop.start("one", *QUICK)
    for job, name in jobs:
        row = shop.wait_for(job, "failed")
        expect(name in row["reason"] and str(shop.folder) not in row["reason"], row)
    shop.wait_for(good, "done")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("limn", "submit-jobs", "inputs"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (arguments.names and name[5:] not in arguments.names):
            continue
        folder = tempfile.mkdtemp(prefix="limn-workers-")
        began = time.monotonic()
        try:
            with Workshop(f"{folder}/shop", arguments) as shop:
                test(shop)
                for worker in list(shop.workers):
                    code = shop.drain(worker)
                    expect(code == 0, f"worker {worker} drained with code {code}")
            print(f"{name[5:]}: {time.monotonic() - began:.1f} s", flush=True)
        except (AssertionError, RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"FAILED {name[5:]}: {error}", flush=True)
            failed += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
