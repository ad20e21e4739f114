"""Runs the tests of a script in this folder.

A test is a function that gets a `Page`, in a tab of its own. Tests whose servers are started alike
share one; it has no jobs, and the browser has kept nothing, when a test begins, unless it is marked
`again`. A script ends with

    sys.exit(run(__doc__, first_test, second_test))

and is called with the path of limn and, if only some are wanted, the names of tests. Exit status: 0
all passed, 1 one failed, 77 something is not on this machine, which a line names.
"""
import contextlib
import subprocess
import sys
import time
import traceback

from browser import Browser, NotYet, missing
from page import Page
from page_server import PageServer

# The page waits for people: 1.5 s without a change before it paints at full size, and so on. Tests
# do not; nothing else about it is different. What is deleted after 6 s is when a test says so; what
# is given up after 1 s is on a busy machine too.
HURRY = """
    const others = {1500: 60, 2500: 250, 2000: 200, 700: 70, 1000: 20000};
    const {setTimeout: later, clearTimeout: never} = window;
    const held = new Map();
    window.setTimeout = (act, ms, ...more) => {
      if (ms !== 6000) return later(act, others[ms] ?? ms, ...more);
      const id = `held ${held.size}`;
      held.set(id, act);
      return id;
    };
    window.clearTimeout = (id) => (held.has(id) ? held.set(id, () => {}) : never(id));
    window.sixSecondsLater = () => held.forEach((act, id) => (held.set(id, () => {}), act()));
"""


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_equal(wanted, found, what):
    expect(wanted == found, f"{what}: expected {wanted!r}, found {found!r}")


@contextlib.contextmanager
def opened(limn, browser, *arguments, workers=1):
    """A page of a new server, not yet visited."""
    with PageServer(limn, *arguments, workers=workers) as server:
        page = Page(browser, server)
        try:
            yield page
        finally:
            page.close()


def names(job, role):
    """What a job's pictures of one role are called."""
    return [each["name"] for each in job["inputs"] if each["role"] == role]


def served(**options):
    """Marks a test whose server is started otherwise: workers=0, arguments=("--live", "0")."""
    def mark(test):
        test.served = options
        return test
    return mark


def again(test):
    """Marks a test that begins with whatever the tests before it have left, as at a later visit: a
    picture that it only looks at need not be painted once more."""
    test.again = True
    return test


class Servers:
    """Those of a script, by their options. `with Servers(limn) as servers`"""

    def __init__(self, limn):
        self.limn, self.running = limn, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.running.values():
            server.__exit__()
        self.running.clear()

    def of(self, test):
        options = getattr(test, "served", {})
        key = repr(sorted(options.items()))
        if key not in self.running:
            self.running[key] = PageServer(
                self.limn, *options.get("arguments", ()), workers=options.get("workers", 1))
            self.running[key].__enter__()
        return self.running[key]

    def drop(self, server):
        """It is not used again: a test has ended it, or has failed."""
        self.running = {key: other for key, other in self.running.items() if other is not server}
        server.__exit__()


def has_server(limn):
    return subprocess.run([limn, "serve", "--help"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def told(error):
    """What was wrong, and where in the test."""
    name = "" if isinstance(error, (AssertionError, NotYet)) else f"{type(error).__name__}: "
    frames = traceback.extract_tb(error.__traceback__)[1:5]
    return [f"{name}{str(error)[:2000]}",
            "at " + " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)]


def about(page):
    """The state of the page in which a test failed."""
    try:
        return [f"the status line: {page.status()}: {page.text('status')!r}", *page.complaints()]
    except Exception as error:
        return [f"and the page does not say anything: {str(error)[:200]}"]


def run_one(servers, browser, test):
    """None if it passed, else what was wrong."""
    server = servers.of(test)
    page, passed = Page(browser, server), False
    try:
        goes_on = hasattr(test, "again")
        browser.forget(None if goes_on else f"http://{server.host}")
        if not goes_on:
            server.empty()
        browser.on_each_visit(HURRY)
        test(page)
        complaints = page.complaints()
        passed = not complaints
        return "\n".join(complaints) if complaints else None
    except Exception as error:  # the browser's own among them: one test is not all
        return "\n  ".join([*told(error), *about(page)])
    finally:
        # Leaving ends its streams, so that the server has nothing to wait for.
        browser.leave()
        page.close()
        if not passed or server.has_ended():
            servers.drop(server)


def run(about, *tests):
    """Runs the tests, or those named on the command line; returns an exit status."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(f"usage: {sys.argv[0]} LIMN [TEST...]\n\n{about.strip()}")
        return 2
    limn, wanted = sys.argv[1], sys.argv[2:]
    lacking = missing() or (None if has_server(limn) else "this limn has no server")
    if lacking:
        print(f"skipped: {lacking}")
        return 77
    failures = 0
    with Servers(limn) as servers, Browser() as browser:
        for test in tests:
            if wanted and test.__name__ not in wanted:
                continue
            start = time.monotonic()
            wrong = run_one(servers, browser, test)
            failures += wrong is not None
            print(f"{'FAILED' if wrong else 'ok':6} {test.__name__} "
                  f"({time.monotonic() - start:.1f} s)" + (f"\n  {wrong}" if wrong else ""),
                  flush=True)
    return 1 if failures else 0
