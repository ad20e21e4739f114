// One menu for all buttons that have one: a list of things to do, closed by Escape or a click
// elsewhere, with arrow keys.
import {element, find} from "./dom.js";

const menu = find("menu");
let opener = null;

// items: [[text, act]]
export function open_menu(by, items) {
  opener = by;
  menu.replaceChildren(...items.map(([text, act]) =>
    element("button", {type: "button", role: "menuitem", tabindex: -1, onclick: () => {
      close_menu();
      act();
    }}, text)));
  menu.setAttribute("aria-label", by.getAttribute("aria-label") ?? by.textContent);
  menu.showPopover();
  const at = by.getBoundingClientRect();
  const {width, height} = menu.getBoundingClientRect();
  const above = at.top - height - 4;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${at.bottom + 4 + height > innerHeight ? Math.max(8, above) : at.bottom + 4}px`;
  menu.firstChild?.focus();
}

function close_menu() {
  menu.hidePopover();
  if (opener?.isConnected) opener.focus();
}

export function start_menu() {
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const to = {ArrowDown: (at + 1) % items.length, ArrowUp: (at + items.length - 1) % items.length,
                Home: 0, End: items.length - 1}[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close_menu();
    } else if (to !== undefined) {
      event.preventDefault();
      items[to].focus();
    }
  });
}
