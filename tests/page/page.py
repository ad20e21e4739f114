"""The page of a limn serve in a browser: what its tests do with it, and see of it.

Things are found as people find them, by role and name as Chromium's accessibility tree has them;
where these do not suffice, by `data-test`.
"""
import base64
import json
import os
import pathlib
import re
import tempfile

import samples
from browser import wait_for

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"

# Settings in a link, with which a picture at full size takes a moment, or the page paints none, or
# one that takes minutes: at a single size, larger than the preview, so that its pictures are seen
# from the beginning.
QUICK = "kind=paint&picture.size=96&optimiser.iterations=4"
IDLE = "kind=inpaint"  # nothing, before somebody brushes over something
LONG = "kind=paint&picture.size=288&pyramid.smallest=0&optimiser.iterations=2000"


class Page:
    """The page in the tab in front."""

    def __init__(self, browser, server):
        self.browser, self.server = browser, server
        self.expected = []  # texts of console errors that a test brings about itself
        self.folder = tempfile.TemporaryDirectory(prefix="limn-page-files-")

    # ---- coming in ----

    def open(self, settings=QUICK, window=None, token=True, ready=True):
        """Opens the page by the link that the server prints, with settings behind the #."""
        if window:
            self.browser.shape(window)
        query = f"?token={self.server.token}" if token else ""
        behind = f"#{settings}" if settings else ""
        # The same address with another # is no visit.
        self.browser.driver.get("about:blank")
        self.browser.driver.get(f"http://{self.server.host}/{query}{behind}")
        if ready:
            self.wait_ready()
        return self

    def open_pair(self, settings=QUICK, **more):
        """Opens it as the page of one who has left it with small pictures, photo.png and
        painting.png: examples, which nobody looks at, are not painted first."""
        places = {role: [{"upload": self.server.upload(data), "name": f"{role}.png"}]
                  for role, data in (("photo", samples.photo()), ("painting", samples.painting()))}
        self.browser.on_each_visit(
            f"if (location.host === {json.dumps(self.server.host)})"
            f"  localStorage['limn-work'] ??= {json.dumps(json.dumps({'places': places}))};")
        self.open(settings, **more)
        self.wait_picture("photo", "photo.png")
        self.wait_picture("painting", "painting.png")
        return self

    def wait_ready(self):
        wait_for(lambda: self.browser.js("return 'ready' in document.documentElement.dataset"),
                 "the page to be ready")

    def reload(self):
        self.browser.driver.refresh()
        self.wait_ready()

    def hold_answer(self, part):
        """Keeps back the next answer to a request of the page whose address has this part: a
        slow network's. Returns what waits for it to be there and what lets it go."""
        self.browser.js("""
            const {fetch} = window, [part] = arguments;
            let held = false;
            window.fetch = async (address, ...more) => {
              const answer = await fetch(address, ...more);
              if (held || !String(address).includes(part)) return answer;
              held = true;
              await new Promise((resolve) => (window.letGo = resolve));
              return answer;
            };""", part)
        return (lambda: wait_for(lambda: self.browser.js("return 'letGo' in window"),
                                 f"the answer to {part}"),
                lambda: self.browser.js("letGo()"))

    # ---- finding things ----

    def roles(self, role, name=None, within=None, starts=None):
        """What has this role, and this name or one that starts so; hidden ones are left out."""
        where = f"document.querySelector({json.dumps(within)})" if within else "document"
        root = self.browser.cdp("Runtime.evaluate", expression=where)["result"].get("objectId")
        if root is None:
            return []
        wanted = {"objectId": root, "role": "image" if role == "img" else role}
        if name is not None:
            wanted["accessibleName"] = name
        nodes = [node for node in self.browser.cdp("Accessibility.queryAXTree", **wanted)["nodes"]
                 if not node["ignored"] and "backendDOMNodeId" in node]
        if starts is not None:
            nodes = [node for node in nodes if node["name"]["value"].startswith(starts)]
        return self._elements([node["backendDOMNodeId"] for node in nodes])

    def _elements(self, nodes):
        """Chromedriver's ids end in the node's number in Chromium's own protocol."""
        from selenium.webdriver.remote.webelement import WebElement
        if not nodes:
            return []
        document = self.browser.driver.find_element("css selector", "html").id
        return [WebElement(self.browser.driver, f"{document.rsplit('.', 1)[0]}.{node}")
                for node in nodes]

    def find(self, role, name=None, within=None, starts=None):
        """Waits until exactly one is there."""
        def only():
            found = self.roles(role, name, within, starts)
            return found[0] if len(found) == 1 else None
        return wait_for(only, f"one {role} {name or (starts or '') + '...'!r}"
                              + (f" in {within}" if within else ""))

    def button(self, name, within=None):
        return self.find("button", name, within)

    def gone(self, role, name=None, within=None):
        wait_for(lambda: not self.roles(role, name, within), f"no {role} {name!r} any more")

    def press(self, name, within=None, role="button"):
        """Clicks on it as a person does: it has to be in sight, with nothing above it."""
        def click():
            found = self.roles(role, name, within)
            return len(found) == 1 and self.browser.click(found[0])
        wait_for(click, f"a click on the {role} {name!r}")

    def hook(self, name):
        return f'[data-test="{name}"]'

    def test(self, name):
        """Waits for the only element with this data-test."""
        return wait_for(lambda: self.browser.one(self.hook(name)), f"data-test {name}")

    def data(self, name, field):
        """A data- attribute of the element with this data-test; None if either is missing."""
        return self.browser.js(
            "return document.querySelector(arguments[0])?.getAttribute('data-' + arguments[1])",
            self.hook(name), field)

    def text(self, name):
        return self.browser.js("return document.querySelector(arguments[0])?.textContent ?? ''",
                               self.hook(name)).strip()

    def says(self, name, part):
        """Waits until the element with this data-test says it."""
        wait_for(lambda: part in self.text(name), f"{name} to say {part!r}")

    def pressed(self, name):
        return self.button(name).get_attribute("aria-pressed") == "true"

    # ---- the canvas ----

    def shows(self):
        return self.data("canvas", "shows")

    def frame(self):
        return int(self.data("canvas", "frame") or 0)

    def status(self):
        return self.data("status", "state")

    def wait_shows(self, what):
        wait_for(lambda: self.shows() == what, f"the canvas to show {what}")

    def wait_painted(self):
        """Waits until what is set has been painted at full size."""
        wait_for(lambda: self.shows() == "job" and self.status() == "done", "a finished picture")
        self.wait_drawn()

    def wait_drawn(self):
        """What the canvas shows is said at once, and drawn with the next frame."""
        self.browser.js_async("await new Promise((done) => requestAnimationFrame(() =>"
                              " requestAnimationFrame(done)))")

    def wait_sketched(self):
        """Waits for any picture of what is set."""
        wait_for(lambda: self.shows() in ("live", "job"), "a picture")

    def wait_status(self, *states):
        wait_for(lambda: self.status() in states, f"the status {' or '.join(states)}")

    def pixels(self):
        """The canvas in small, 24 x 24 RGBA, to compare with another moment's."""
        return self.browser.js(
            "const canvas = document.querySelector('[data-test=\"canvas\"]');"
            "const small = new OffscreenCanvas(24, 24).getContext('2d');"
            "small.drawImage(canvas, 0, 0, 24, 24);"
            "return [...small.getImageData(0, 0, 24, 24).data];")

    RECORD = """
        window.canvasSeen = [];
        new MutationObserver(() => {
          const canvas = document.querySelector('[data-test="canvas"]');
          if (!canvas?.dataset.size) return;
          const now = [canvas.dataset.shows, ...canvas.dataset.size.split('x').map(Number),
                       canvas.dataset.frame];
          if (String(canvasSeen.at(-1)) !== String(now)) canvasSeen.push(now);
        }).observe(document, {subtree: true, childList: true, attributeFilter:
                              ['data-shows', 'data-size', 'data-frame']});
    """

    def record_canvas(self):
        """From the next visit on, keeps what the canvas shows; returns a function that tells it:
        [what it showed, width, height] for each picture."""
        self.browser.on_each_visit(self.RECORD)
        return lambda: [seen[:3] for seen in self.browser.js("return window.canvasSeen")]

    def live_requests(self):
        """What live previews were asked for since the test began."""
        self.browser.read_logs()
        return [json.loads(request["body"]) for request in self.browser.requests
                if request["method"] == "POST" and request["url"].endswith("/api/v1/live")]

    def differs_from(self, before):
        """The share of the canvas that is visibly another than in `before`."""
        after = self.pixels()
        changed = sum(
            max(abs(after[at + c] - before[at + c]) for c in range(3)) > 8
            for at in range(0, len(after), 4))
        return changed / (len(after) / 4)

    def box(self, element):
        """(left, top, width, height) in the window, in CSS pixels."""
        found = self.browser.js(
            "const r = arguments[0].getBoundingClientRect();"
            "return [r.left, r.top, r.width, r.height];", element)
        return tuple(found)

    def on_canvas(self, x, y):
        """A point of the window: (0.5, 0.5) is the canvas's middle."""
        left, top, width, height = self.box(self.test("canvas"))
        return left + x * width, top + y * height

    # ---- the brush ----

    def strokes(self):
        return int(self.browser.js(
            "return document.querySelector(arguments[0])?.dataset.strokes ?? 0", self.BRUSH))

    def mask(self):
        """The id of the uploaded mask; "" if there is none."""
        return self.browser.js(
            "return document.querySelector(arguments[0])?.dataset.mask ?? ''", self.BRUSH)

    def stroke(self, *points):
        """Paints with the brush from point to point, (0.5, 0.5) being the canvas's middle."""
        strokes = self.strokes()
        self.browser.drag([self.on_canvas(*point) for point in points])
        wait_for(lambda: self.strokes() == strokes + 1, "another stroke")

    BRUSH = '[role="toolbar"][aria-label="Brush"]'

    # ---- controls ----

    def set_slider(self, name, *keys, within=None):
        """Moves a slider by keys, as a keyboard does."""
        slider = self.find("slider", name, within)
        before = self.value(slider)
        slider.send_keys(*keys)
        wait_for(lambda: self.value(slider) != before, f"the slider {name!r} to move")
        return slider

    def value(self, slider):
        return self.browser.js(
            "const s = arguments[0]; return s.value ?? s.getAttribute('aria-valuenow');", slider)

    def choose_radio(self, name, within=None):
        """A click on the radio's label, as the radio itself may be drawn by it."""
        radio = self.find("radio", name, within)
        label = self.browser.js("return arguments[0].labels?.[0]", radio)
        wait_for(lambda: self.browser.click(label or radio), f"a click on the radio {name!r}")
        wait_for(lambda: self.browser.js(
            "return arguments[0].checked ?? arguments[0].ariaChecked === 'true'", radio),
            f"the radio {name!r} to be chosen")

    def choose(self, combobox, option):
        """Chooses an option of a <select> by its text."""
        from selenium.webdriver.support.ui import Select
        element = self.find("combobox", combobox)
        wait_for(lambda: Select(element).select_by_visible_text(option) is None,
                 f"the option {option!r}")

    def more(self):
        """Opens the disclosure, if it is not."""
        if self.button("More").get_attribute("aria-expanded") != "true":
            self.press("More")
        self.find("complementary", "More")

    def by_hand_only(self):
        """No picture at full size unless one presses Paint."""
        self.more()
        box = self.find("checkbox", "Paint at full size by itself")
        if box.is_selected():
            wait_for(lambda: self.browser.click(box), "a click on it")
        self.press("More")

    def handle(self):
        """Shows before and after: its slider, the value that it has, and where its middle is."""
        self.press("Before and after")
        slider = self.find("slider", "Before and after")
        left, top, width, height = self.box(slider)
        return slider, float(self.value(slider)), (left + width / 2, top + height / 2)

    # ---- pictures from outside ----

    def file(self, name, data):
        """A file on the disk with these bytes."""
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def give(self, place, name, data):
        """Chooses a file for "photo", "painting", "photo-add" or "painting-add"."""
        self.browser.one(self.hook(f"{place}-file")).send_keys(self.file(name, data))

    def names(self, place):
        """The names of the pictures in a place, "photo" or "painting"."""
        return self.browser.js(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.dataset.name)",
            self.hook(place))

    @staticmethod
    def plain(name):
        """A picture's name as the page says it."""
        return re.sub(r"\.[a-zA-Z0-9]{2,5}$", "", name).replace("_", " ")

    def wait_picture(self, place, name, state="ready"):
        """Waits until a place holds this picture, in this state; returns its selector."""
        selector = f'{self.hook(place)}[data-name="{name}"]'
        wait_for(lambda: self.browser.one(selector).get_attribute("data-state") == state,
                 f"the {place} {name} to be {state}")
        return selector

    TRANSFER = """
        const transfer = new DataTransfer();
        for (const {name, type, bytes} of files) {
          const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
          transfer.items.add(new File([data], name, {type}));
        }
    """

    def _files(self, files):
        return [{"name": name, "bytes": base64.b64encode(data).decode(),
                 "type": {"png": "image/png", "jpg": "image/jpeg"}.get(name[-3:], "")}
                for name, data in files.items()]

    def drag_in(self, target, files, drop=True):
        """Drags files, {name: bytes}, over the element that a selector names; drops them there."""
        self.browser.js(
            "const [target, files, kinds] = arguments;" + self.TRANSFER +
            "const element = document.querySelector(target);"
            "const r = element.getBoundingClientRect();"
            "for (const kind of kinds) {"
            "  element.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true,"
            "    cancelable: true, composed: true, clientX: r.left + r.width / 2,"
            "    clientY: r.top + r.height / 2}));"
            "}", target, self._files(files),
            ["dragenter", "dragover"] + (["drop"] if drop else []))

    def paste(self, files):
        """Pastes files where the focus is."""
        self.browser.js(
            "const [files] = arguments;" + self.TRANSFER +
            "(document.activeElement ?? document.body).dispatchEvent(new ClipboardEvent('paste',"
            "  {clipboardData: transfer, bubbles: true, cancelable: true, composed: true}));",
            self._files(files))

    # ---- the film strip ----

    def strip(self):
        """{id: state} as the strip shows it, in its order."""
        return dict(self.browser.js(
            "return [...document.querySelectorAll('[data-test=\"job\"]')]"
            ".map(e => [e.dataset.id, e.dataset.state])"))

    def job_selector(self, number):
        return f'{self.hook("job")}[data-id="{number}"]'

    def wait_job(self, number, state):
        wait_for(lambda: self.strip().get(number) == state,
                 f"the strip to have job {number} {state}")

    def act(self, number, action):
        """Chooses an item of a job's menu."""
        within = self.job_selector(number)
        def press():
            found = self.roles("button", within=within, starts="Actions for")
            return len(found) == 1 and self.browser.click(found[0])
        wait_for(press, f"the actions of job {number}")
        self.press(action, role="menuitem")

    def show(self, number):
        """Shows a job's picture on the canvas."""
        show = self.find("button", within=self.job_selector(number), starts="Show")
        wait_for(lambda: self.browser.click(show), f"a click on job {number}")

    def wait_for_own_job(self, state="done"):
        """Waits until there is one job in this state, and no other at work; returns it."""
        def only():
            jobs = self.server.jobs()
            return len(jobs) == 1 and jobs[0]["state"] == state and jobs[0]
        return wait_for(only, f"one job, {state}")

    # ---- the end ----

    def complaints(self):
        """What the browser had to complain of since the test began."""
        self.browser.read_logs()
        found = [f"a request to {url[:120]}"
                 for url in self.browser.requests_elsewhere(self.server.host)]
        found += [f"a dialog that blocks: {text!r}" for text in self.browser.dialogs]
        found += [f"on the console: {entry['message'][:300]}" for entry in self.browser.console
                  if not any(text in entry["message"] for text in self.expected)]
        return found

    def close(self):
        self.folder.cleanup()
