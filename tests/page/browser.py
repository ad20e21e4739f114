"""Chromium, Debian's, as the tests of the page and the tools that look at it drive it.

Everything waits for conditions and never for a time. What a browser logs is kept, so that each test
can end with a look at it: errors on the console, and requests to anything but the server.
"""
import base64
import json
import os
import shutil
import tempfile
import time
import urllib.parse

try:
    from selenium import webdriver
    from selenium.common.exceptions import NoSuchElementException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
except ImportError:  # missing() says so
    webdriver = Keys = None

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
# Seconds that a condition may take to come true: a slow machine is no failure.
PATIENCE = float(os.environ.get("LIMN_PATIENCE", "60"))

# A window in CSS pixels, and whether it is touched.
DESKTOP = (1440, 900, False)
WIDE = (1920, 1080, False)
PHONE = (412, 915, True)


def missing():
    """What a test needs and this machine has not: a line, or None."""
    if webdriver is None:
        return "python3-selenium is not here"
    if not CHROMIUM:
        return "chromium is not here"
    return None if DRIVER else "chromedriver (Debian's chromium-driver) is not here"


class NotYet(Exception):
    """A condition that did not come true."""


def wait_for(condition, what, patience=PATIENCE):
    """Asks until the answer is true, and returns it. `what` completes "waited for ..."."""
    begin = time.monotonic()
    last = None
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            last = answer
        except Exception as error:  # an element that is being replaced, a page that is loading
            if type(error).__name__ not in PASSING:
                raise
            last = error
        waited = time.monotonic() - begin
        if waited > patience:
            raise NotYet(f"waited {patience} s for {what}; at last: {str(last)[:300]!r}")
        time.sleep(min(0.01 + waited / 10, 0.2))  # each question takes time from what it waits for


PASSING = {"StaleElementReferenceException", "NoSuchElementException", "JavascriptException",
           "ElementNotInteractableException", "ElementClickInterceptedException"}


class Browser:
    """One chromium. `with Browser() as browser`; several tabs share its cookies and storage."""

    def __init__(self, window=DESKTOP):
        # Selenium speaks HTTP to the driver: not through a proxy.
        for name in ("no_proxy", "NO_PROXY"):
            os.environ[name] = "127.0.0.1,localhost"
        self.profile = tempfile.TemporaryDirectory(prefix="limn-page-", ignore_cleanup_errors=True)
        self.downloads = os.path.join(self.profile.name, "downloads")
        os.mkdir(self.downloads)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (
                "--headless", "--no-sandbox",  # as root, and in containers; it sees our page only
                "--disable-gpu", "--disable-quic", "--no-proxy-server",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb",
                "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
                "--disable-backgrounding-occluded-windows", "--lang=en-GB",
                # A page that is left is gone, with its connections. Two pages of the browser's own.
                "--disable-features=BackForwardCache,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
                f"--user-data-dir={self.profile.name}/profile"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            service=Service(DRIVER, log_path=os.devnull), options=options)
        self.driver.set_script_timeout(PATIENCE)
        self.driver.set_page_load_timeout(PATIENCE)
        self.console = []   # errors
        self.requests = []  # {"method", "url", "body"}
        self.answers = {}   # by request: {"url", "kind", "bytes"}
        self.dialogs = []   # what alert() and its like said
        self.scripts = []   # that run on each visit in the tab that is kept
        self.untouched = self.driver.current_window_handle
        self.begin_tab(window)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.driver.quit()
        finally:
            self.profile.cleanup()

    # ---- the window and what lies around it ----

    def cdp(self, command, **arguments):
        """A command of Chromium's own protocol, to the tab in front."""
        return self.driver.execute_cdp_cmd(command, arguments)

    def begin_tab(self, window):
        self.shape(window)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)

    def shape(self, window):
        width, height, touched = window
        if touched and self.driver.current_window_handle == self.untouched:
            self.untouched = None
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=touched)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touched, maxTouchPoints=5)
        self.cdp("Emulation.setFocusEmulationEnabled", enabled=True)

    def prefer(self, scheme=None, reduced_motion=False):
        """What the system would say: a colour scheme, "light" or "dark", and less motion."""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme or ""},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else ""}])

    def slow_down(self, latency_ms=0, bytes_per_second=-1, offline=False):
        self.cdp("Network.enable")
        self.cdp("Network.emulateNetworkConditions", offline=offline, latency=latency_ms,
                 downloadThroughput=bytes_per_second, uploadThroughput=bytes_per_second)

    def block(self, *addresses):
        """Lets no request to these patterns through."""
        self.cdp("Network.enable")
        self.cdp("Network.setBlockedURLs", urls=addresses)

    def forget(self, origin=None):
        """Tabs, cookies, logs, and what this origin's page has kept here: before a test."""
        self.only_one_tab()
        self.cdp("Network.clearBrowserCookies")
        if origin:
            self.cdp("Storage.clearDataForOrigin", origin=origin, storageTypes="local_storage")
        self.read_logs()
        for log in (self.console, self.requests, self.answers, self.dialogs):
            log.clear()
        for name in os.listdir(self.downloads):
            os.remove(os.path.join(self.downloads, name))

    def new_tab(self, window=DESKTOP):
        """Opens another tab and goes to it; returns its handle."""
        self.driver.switch_to.new_window("tab")
        self.begin_tab(window)
        return self.driver.current_window_handle

    def on_each_visit(self, script):
        """Runs a script before each page's own, in this tab."""
        added = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)
        if self.driver.current_window_handle == self.untouched:
            self.scripts.append(added["identifier"])

    def leave(self):
        """Leaves the page, in all tabs: only one stays."""
        kept, *others = self.driver.window_handles
        if self.untouched in others:
            others[others.index(self.untouched)], kept = kept, self.untouched
        for handle in others:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(kept)
        self.driver.get("about:blank")

    def only_one_tab(self):
        """As good as new. One that has been touched takes the mouse otherwise and is not."""
        self.leave()
        if self.untouched is None:
            touched = self.driver.current_window_handle
            self.untouched = self.new_tab()
            self.scripts.clear()
            self.driver.switch_to.window(touched)
            self.driver.close()
            self.driver.switch_to.window(self.untouched)
        for script in self.scripts:
            self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        self.scripts.clear()
        self.shape(DESKTOP)
        self.prefer()
        self.slow_down()
        self.block()

    def allow(self, *permissions):
        for name in permissions:
            self.cdp("Browser.setPermission", permission={"name": name}, setting="granted")

    # ---- what is in it ----

    def js(self, script, *arguments):
        """The value of a function's body, given `arguments`."""
        return self.driver.execute_script(script, *arguments)

    def js_async(self, script, *arguments):
        """The value of an async function's body; it may await."""
        answer = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {script} }}).apply(null, [...arguments].slice(0, -1))"
            ".then((value) => done({value}), (error) => done({error: String(error)}));",
            *arguments)
        if "error" in answer:
            raise RuntimeError(f"in the page: {answer['error']}")
        return answer.get("value")

    def one(self, selector):
        """The only element there is; NoSuchElementException otherwise."""
        found = self.all(selector)
        if len(found) != 1:
            raise NoSuchElementException(f"{len(found)} elements match {selector}")
        return found[0]

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def screenshot(self, path):
        data = self.cdp("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def downloaded(self):
        """Waits for a download and returns its path."""
        def ready():
            names = os.listdir(self.downloads)
            return len(names) == 1 and not names[0].endswith((".crdownload", ".tmp")) and names[0]
        return os.path.join(self.downloads, wait_for(ready, "a download"))

    # ---- hands ----

    def keys(self, *keys):
        """Presses keys wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, held, key):
        ActionChains(self.driver).key_down(held).send_keys(key).key_up(held).perform()

    def hold(self, key):
        ActionChains(self.driver).key_down(key).perform()

    def let_go(self, key):
        ActionChains(self.driver).key_up(key).perform()

    def mouse(self, kind, x, y, **more):
        """kind: mousePressed, mouseMoved, mouseReleased, mouseWheel; CSS pixels of the window."""
        self.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    # Where its middle is, once it is in sight; nothing while something else lies above it.
    MIDDLE = """
        const [element] = arguments;
        const middle = () => {
          const {left, top, width, height} = element.getBoundingClientRect();
          return [left + width / 2, top + height / 2];
        };
        const [left, top] = middle();
        if (left < 0 || top < 0 || left >= innerWidth || top >= innerHeight) {
          element.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
        }
        const [x, y] = middle();
        return element.contains(document.elementFromPoint(x, y)) ? [x, y] : null;"""

    def click(self, element):
        """Clicks on its middle, as a person does; False if it cannot be met there. The driver's
        own click takes half a second on a busy machine."""
        at = self.js(self.MIDDLE, element)
        if at is not None:
            self.drag([at])
        return at is not None

    def drag(self, points, button="left"):
        """Presses at the first point, goes through the others, lets go at the last."""
        x, y = points[0]
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button=button, buttons=1, clickCount=1)
        for x, y in points[1:]:
            self.mouse("mouseMoved", x, y, button=button, buttons=1)
        self.mouse("mouseReleased", x, y, button=button, buttons=0, clickCount=1)

    def drag_item(self, item, target):
        """Drags an element onto the far end of another one."""
        width = self.js("return arguments[0].getBoundingClientRect().width", target)
        actions = ActionChains(self.driver)
        actions.move_to_element(item).click_and_hold().move_by_offset(8, 0)
        actions.move_to_element(target).move_by_offset(int(width / 2) - 4, 0).release().perform()

    def wheel(self, x, y, by):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=by)

    def touch(self, *steps):
        """Fingers: each step is a list of points, [(x, y), ...]; the last step lifts them all."""
        for number, points in enumerate(steps):
            self.cdp("Input.dispatchTouchEvent", type="touchMove" if number else "touchStart",
                     touchPoints=[{"x": x, "y": y, "id": finger}
                                  for finger, (x, y) in enumerate(points)])
        self.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    # ---- what it logged ----

    def read_logs(self):
        """Adds what was logged since the last time."""
        self.console += [entry for entry in self.driver.get_log("browser")
                         if entry["level"] == "SEVERE"]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            about = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                request = about["request"]
                self.requests.append({"method": request["method"], "url": request["url"],
                                      "body": request.get("postData", "")})
            elif message["method"] == "Network.responseReceived":
                self.answers[about["requestId"]] = {
                    "url": about["response"]["url"], "kind": about["response"]["mimeType"],
                    "bytes": 0}
            elif message["method"] == "Network.loadingFinished":
                if about["requestId"] in self.answers:
                    self.answers[about["requestId"]]["bytes"] = about["encodedDataLength"]
            elif message["method"] == "Page.javascriptDialogOpening":
                self.dialogs.append(about["message"])

    def requests_elsewhere(self, host):
        """Addresses asked for that are not the server's."""
        own = ("data", "blob", "about", "chrome", "devtools")
        parts = [(urllib.parse.urlsplit(request["url"]), request["url"])
                 for request in self.requests]
        return [url for part, url in parts if part.scheme not in own and part.netloc != host]
