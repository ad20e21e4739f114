// The gallery of a batch. Without this the page shows all pictures, which open as files; with it
// they are sorted and chosen, and shown one at a time, beside the photo they were made from.
'use strict';
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const one = (selector, inside = document) => inside.querySelector(selector);
  const tiles = all('.tile');
  const sources = {photo: all('#photos button'), style: all('#styles button')};
  const rooms = one('#rooms');
  const nameOf = (kind, number) => one('span', sources[kind][number]).textContent;
  document.documentElement.classList.add('alive');

  // ------------------------------------------------------------------------- rooms and choices --

  const grouped = rooms.dataset.grouped !== undefined;

  const made = (tag, className, ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };

  // The photo, or the painting, in front of what was made from it.
  const lead = (kind, number) => {
    const image = one('img', sources[kind][number]).cloneNode();
    image.alt = '';
    const tile = made('figure', 'tile lead', made('div', 'frame', image),
                      made('figcaption', '', kind === 'photo' ? 'the photo' : 'the painting'));
    tile.style.setProperty('--ratio', image.getAttribute('width') / image.getAttribute('height'));
    return tile;
  };

  const group = (kind) => {
    const other = kind === 'photo' ? 'style' : 'photo';
    const found = sources[kind].map((source, number) => {
      const members = tiles.filter((tile) => Number(tile.dataset[kind]) === number);
      if (!members.length) return null;
      for (const tile of members) {
        one('b', tile).textContent = nameOf(other, tile.dataset[other]);
      }
      const row = made('div', 'row', lead(kind, number), ...members);
      const ratios = [...row.children].map((tile) =>
        Number(tile.style.getPropertyValue('--ratio')));
      if (Math.max(...ratios) < 1.02 * Math.min(...ratios)) {
        row.classList.add('even');
        row.style.setProperty('--ratio', ratios[0]);
      }
      const room = made('section', 'room', made('h2', '', nameOf(kind, number)), row);
      room.setAttribute('aria-label', nameOf(kind, number));
      return room;
    });
    rooms.replaceChildren(...found.filter(Boolean));
    choose();
  };

  // Columns, one more or one fewer than would come by themselves, so that few places stay empty.
  const balance = () => {
    for (const row of all('.row.even')) {
      row.style.gridTemplateColumns = '';
      const own = getComputedStyle(row).gridTemplateColumns.split(' ').length;
      const count = all('.tile', row).filter((tile) => !tile.hidden).length;
      const most = row.clientWidth > 900 ? own + 1 : own;
      const empty = (columns) => (columns - count % columns) % columns;
      let best = Math.min(own, count);
      for (let columns = Math.max(2, own - 1); columns <= Math.min(most, count); ++columns) {
        const fewer = empty(columns) - empty(best);
        if (fewer < 0 || (fewer === 0 && best < own)) best = columns;
      }
      row.style.gridTemplateColumns = `repeat(${best || 1}, 1fr)`;
    }
  };

  const chosen = (kind) => sources[kind].filter((b) => b.getAttribute('aria-pressed') === 'true')
      .map((button) => sources[kind].indexOf(button));

  const choose = () => {
    const wanted = {photo: chosen('photo'), style: chosen('style')};
    for (const tile of tiles) {
      tile.hidden = ['photo', 'style'].some((kind) => wanted[kind].length &&
          !wanted[kind].includes(Number(tile.dataset[kind])));
    }
    for (const room of all('.room', rooms)) {
      room.hidden = !all('.tile:not(.lead)', room).some((tile) => !tile.hidden);
    }
    for (const kind of ['photo', 'style']) {
      one(`#${kind}s`).classList.toggle('chosen', wanted[kind].length > 0);
    }
    const shown = tiles.filter((tile) => !tile.hidden).length;
    one('#said').textContent = `${shown} of ${tiles.length} pictures shown`;
    one('#nothing').hidden = shown > 0 || !tiles.length;
    balance();
  };

  for (const kind of ['photo', 'style']) {
    for (const button of sources[kind]) {
      button.disabled = false;
      button.addEventListener('click', () => {
        const pressed = button.getAttribute('aria-pressed') === 'true';
        button.setAttribute('aria-pressed', String(!pressed));
        choose();
      });
    }
  }
  for (const input of all('#by input')) {
    input.addEventListener('change', () => group(input.value));
  }

  one('#theme').addEventListener('click', () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' :
      matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });

  // ------------------------------------------------------------------------------- one picture --

  const viewer = one('dialog');
  const both = one('.both', viewer);
  const slider = one('input', both);
  const [picture, photo] = all('img', both);
  let shown = null;

  const visible = () => all('.tile:not(.lead)').filter((tile) => tile.offsetParent !== null);

  const fit = () => {
    if (!shown) return;
    const ratio = Number(shown.style.getPropertyValue('--ratio'));
    const stage = one('.stage', viewer);
    const style = getComputedStyle(stage);
    const height = stage.clientHeight - parseFloat(style.paddingTop) -
      parseFloat(style.paddingBottom);
    // A small picture is not enlarged beyond recognition.
    const width = Math.min(stage.clientWidth - parseFloat(style.paddingLeft) * 2, height * ratio,
                           2.5 * parseInt(shown.dataset.size, 10));
    both.style.width = `${width}px`;
    both.style.height = `${width / ratio}px`;
  };

  const divide = () => {
    both.style.setProperty('--at', `${slider.value}%`);
    both.style.setProperty('--divided', slider.value > 0 && slider.value < 100 ? 1 : 0);
    one('.peek', viewer).setAttribute('aria-pressed', String(slider.value > 99));
  };

  const show = (tile) => {
    shown = tile;
    const link = one('a', tile);
    const small = one('img', link);
    // The small picture is there at once; the file takes its place when it has come.
    picture.src = small.src;
    picture.alt = small.alt;
    const full = new Image();
    full.onload = () => { if (shown === tile) picture.src = full.src; };
    full.src = link.href;
    photo.src = one('img', sources.photo[tile.dataset.photo]).src;
    slider.value = 0;
    divide();
    const names = {photo: nameOf('photo', tile.dataset.photo),
                   style: nameOf('style', tile.dataset.style)};
    one('.title', viewer).textContent = `${names.photo}, in the style of ${names.style}`;
    one('.about', viewer).textContent = [tile.dataset.size, tile.dataset.settings].filter(Boolean)
        .join(' · ');
    one('.from img', viewer).src = one('img', sources.style[tile.dataset.style]).src;
    one('.from img', viewer).alt = names.style;
    one('.file', viewer).href = link.href;
    const places = visible();
    one('.count', viewer).textContent = `${places.indexOf(tile) + 1} / ${places.length}`;
    history.replaceState(null, '', `#${tile.id}`);
    if (!viewer.open) viewer.showModal();
    fit();
  };

  const go = (step) => {
    const places = visible();
    if (places.length) show(places[(places.indexOf(shown) + step + places.length) % places.length]);
  };

  for (const tile of tiles) {
    one('a', tile).addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      show(tile);
    });
  }
  viewer.addEventListener('close', () => {
    const tile = shown;
    shown = null;
    history.replaceState(null, '', location.pathname + location.search);
    if (tile) one('a', tile).focus();
  });
  viewer.addEventListener('keydown', (event) => {
    if (event.target === slider || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowRight') go(1);
    else if (event.key === 'ArrowLeft') go(-1);
    else return;
    event.preventDefault();
  });
  slider.addEventListener('input', divide);
  one('.peek', viewer).addEventListener('click', () => {
    slider.value = slider.value > 99 ? 0 : 100;
    divide();
  });
  one('.before', viewer).addEventListener('click', () => go(-1));
  one('.after', viewer).addEventListener('click', () => go(1));
  one('.close', viewer).addEventListener('click', () => viewer.close());
  addEventListener('resize', () => { fit(); balance(); });

  if (grouped) group('photo');
  const asked = location.hash && document.getElementById(location.hash.slice(1));
  if (asked && tiles.includes(asked)) show(asked);
})();
