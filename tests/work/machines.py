#!/usr/bin/python3
"""Two machines, as network namespaces with a cable each to a third one, where PostgreSQL runs:

    worker 'left'  10.231.N.2 --- 10.231.N.1   \\
                                                PostgreSQL, started here and ended at the end
    worker 'right' 10.232.N.2 --- 10.232.N.1   /

One worker is killed: the other paints its jobs too. A cable is pulled: the painting goes on, and
the job is done once it is plugged in again. In the end all jobs are done, none twice.

    machines.py --limn build/limn --submit-jobs build/tests/submit_jobs --inputs FOLDER [--jobs 12]

Exits with 77 (skipped) where it is not run by root, or there is no PostgreSQL.
"""
import argparse
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from workshop import SKIPPED, Workshop

FLAGS = ("--beat", 0.3, "--lease", 3, "--checkpoint-every", 0, "--grace", 10)


def run(*command):
    """Runs it; an error if it fails."""
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


class Cables:
    """The namespaces, named after this process, and their cables."""

    def __init__(self):
        self.number = os.getpid() % 250
        self.names = {}
        self.here = {}

    def plug(self, name, network):
        """A namespace called after `name`, with a cable to here; the address of this end."""
        space, near, far = (f"limn-{name}-{os.getpid()}", f"ln{network}n{self.number}",
                            f"ln{network}f{self.number}")
        run("ip", "netns", "add", space)
        self.names[name] = space
        run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
        self.here[name] = near
        run("ip", "addr", "add", f"10.{network}.{self.number}.1/24", "dev", near)
        run("ip", "link", "set", near, "up")
        inside = ("ip", "-n", space)
        run(*inside, "addr", "add", f"10.{network}.{self.number}.2/24", "dev", far)
        run(*inside, "link", "set", far, "up")
        run(*inside, "link", "set", "lo", "up")
        return f"10.{network}.{self.number}.1"

    def prefix(self, name):
        """What a command is run with to be there."""
        return ("ip", "netns", "exec", self.names[name])

    def pull(self, name):
        """Pulls the cable out."""
        run("ip", "link", "set", self.here[name], "down")

    def plug_again(self, name):
        """And plugs it in again."""
        run("ip", "link", "set", self.here[name], "up")

    def close(self):
        """Removes all: a cable goes with its namespace."""
        for name, space in self.names.items():
            if name in self.here:
                subprocess.run(("ip", "link", "del", self.here[name]), check=False)
            subprocess.run(("ip", "netns", "del", space), check=False)


class PostgreSQL:
    """A server of this test's own."""

    def __init__(self, folder, addresses):
        self.folder = folder
        self.programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        user = pwd.getpwnam("postgres")
        os.makedirs(folder)
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                   "--pdeathsig", "QUIT")
        run(*as_user, f"{self.programs}/initdb", "-D", f"{folder}/data", "-U", "limn", "-A",
            "trust", "-E", "UTF8", "--no-sync")
        with open(f"{folder}/data/pg_hba.conf", "a", encoding="utf-8") as access:
            access.write("host all all 10.0.0.0/8 trust\n")
        with open(f"{folder}/log", "ab") as log:
            self.server = subprocess.Popen(
                (*as_user, f"{self.programs}/postgres", "-D", f"{folder}/data", "-k", folder,
                 "-c", f"listen_addresses={','.join(addresses)}", "-c", "shared_buffers=16MB"),
                stdout=log, stderr=log, cwd="/")
        end = time.monotonic() + 30
        while subprocess.run((f"{self.programs}/pg_isready", "-h", folder, "-q"),
                             check=False).returncode:
            if time.monotonic() > end:
                raise AssertionError(pathlib.Path(folder, "log").read_text(encoding="utf-8"))
            time.sleep(0.1)

    def close(self):
        """Ends it at once."""
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait(30)


def why_not():
    """Why this machine cannot do it; None: it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not glob.glob("/usr/lib/postgresql/*/bin/postgres"):
        return "the PostgreSQL server is not installed"
    if not shutil.which("ip"):
        return "there is no 'ip' (iproute2)"
    tried = subprocess.run(("ip", "netns", "add", f"limn-try-{os.getpid()}"), check=False,
                           capture_output=True, text=True)
    if tried.returncode:
        return f"no network namespaces here: {tried.stderr.strip()}"
    run("ip", "netns", "del", f"limn-try-{os.getpid()}")
    return None


def start(shop, cables, name, address):
    shop.store = f"postgresql://limn@{address}/postgres?connect_timeout=2&tcp_user_timeout=3000"
    shop.start(name, *FLAGS, prefix=cables.prefix(name))


def kill_left(shop, ids):
    """Kills 'left' while it paints; 'right' paints what it had."""
    def has_painted():
        rows = shop.list()
        mine = [job for job in ids if rows[job]["worker"] == "left"]
        return mine and shop.progress(mine[0]) >= 3 and mine[0]

    job = shop.until("'left' paints", has_painted)
    shop.kill("left")
    began = time.monotonic()
    shop.until("its job is taken back", lambda: shop.list()[job]["worker"] != "left", 30)
    print(f"'left' was killed; its job was taken back after {time.monotonic() - began:.1f} s")
    return job


def pull_cable(shop, cables, seconds):
    """Pulls the cable of 'right' while it paints."""
    def painting():
        return [job for job, row in shop.list().items()
                if row["worker"] == "right" and shop.progress(job) >= 1]

    shop.until("'right' paints", painting)
    cables.pull("right")
    time.sleep(seconds)
    cables.plug_again("right")
    print(f"the cable of 'right' was pulled for {seconds:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("limn", "submit-jobs", "inputs"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--pull", type=float, default=2, help="seconds without the cable")
    arguments = parser.parse_args()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    folder = tempfile.mkdtemp(prefix="limn-machines-")
    os.chmod(folder, 0o755)
    cables, database = Cables(), None
    try:
        addresses = {"left": cables.plug("left", 231), "right": cables.plug("right", 232)}
        database = PostgreSQL(f"{folder}/postgresql", addresses.values())
        local = f"postgresql://limn@/postgres?host={folder}/postgresql"
        with Workshop(f"{folder}/shop", arguments, store=local) as shop:
            try:
                ids = shop.submit(arguments.jobs, **{"optimiser.iterations": 40,
                                                     "optimiser.plateau": 0})
            except RuntimeError as error:
                if "PostgreSQL" not in str(error) or "built" not in str(error):
                    raise
                print("skipped: this limn was built without PostgreSQL")
                return SKIPPED
            began = time.monotonic()
            for name, address in addresses.items():
                start(shop, cables, name, address)
            shop.store = local
            job = kill_left(shop, ids)
            pull_cable(shop, cables, arguments.pull)
            shop.until("all jobs done", lambda: shop.states()["done"] == len(ids), 150)
            row = shop.rows[job]
            if row["attempts"] < 2 or "by 'right'" not in shop.log(job):
                raise AssertionError(f"'right' did not go on with {job}: {row}")
            code = shop.drain("right")
            if code:
                raise AssertionError(f"'right' drained with code {code}")
            attempts = sum(each["attempts"] for each in shop.rows.values())
            print(f"two machines, one killed: {len(ids)} jobs done, none twice, {attempts} "
                  f"attempts, {time.monotonic() - began:.1f} s")
    finally:
        if database:
            database.close()
        cables.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
