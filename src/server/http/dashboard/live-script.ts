/**
 * Browser script that refreshes the changeable parts of a page (`data-live`) when the server reports a change. It also refreshes them once
 * a minute, because times are shown as "3 minutes ago". A hidden page is refreshed once a minute if the data has changed. Without the script,
 * a page is not refreshed.
 */
export const liveScript = `'use strict';
(() => {
  const events = document.currentScript.dataset.events;
  const leastPauseMs = 1000;
  let isBusy = false;
  let isStale = false;

  async function renew(isAlsoHidden = false) {
    isStale = true;
    if (isBusy || (document.hidden && !isAlsoHidden)) return;
    isBusy = true;
    try {
      while (isStale && (!document.hidden || isAlsoHidden)) {
        isStale = false;
        isAlsoHidden = false;
        const began = performance.now();
        await renewOnce();
        const took = performance.now() - began;
        await new Promise((resolve) => setTimeout(resolve, Math.max(leastPauseMs, 5 * took)));
      }
    } catch {
      // The server is unavailable or restarting; retry on the next event or timer tick.
    } finally {
      isBusy = false;
    }
  }

  async function renewOnce() {
    const response = await fetch(location.href, { credentials: 'same-origin' });
    if (response.redirected) return location.reload();
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    document.title = page.title;
    for (const part of document.querySelectorAll('[data-live]')) {
      const renewed = page.getElementById(part.id);
      if (renewed !== null && renewed.innerHTML !== part.dataset.shown) swap(part, renewed);
    }
  }

  /** Replaces the content of a part, keeping open details, typed text and focus. */
  function swap(part, renewed) {
    if (part.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')) return;
    part.dataset.shown = renewed.innerHTML;
    for (const each of part.querySelectorAll('details[id]')) {
      const same = renewed.querySelector('#' + CSS.escape(each.id));
      if (same !== null) same.open = each.open;
    }
    for (const each of part.querySelectorAll('input[id], textarea[id], select[id]')) {
      const same = renewed.querySelector('#' + CSS.escape(each.id));
      if (same === null) continue;
      same.value = each.value;
      if (each.type === 'checkbox') same.checked = each.checked;
    }
    const place = placeOf(part);
    part.replaceChildren(...renewed.childNodes);
    if (place !== undefined) part.querySelectorAll(place.kind)[place.index]?.focus({ preventScroll: true });
  }

  /** Returns a selector for the focused element and the element's index among the matches, so that its replacement can be focused. */
  function placeOf(part) {
    const active = document.activeElement;
    if (active === null || !part.contains(active)) return undefined;
    const href = active.getAttribute('href');
    if (active.id !== '') return { kind: '#' + CSS.escape(active.id), index: 0 };
    const kind = href === null ? active.localName : 'a[href="' + CSS.escape(href) + '"]';
    return { kind, index: [...part.querySelectorAll(kind)].indexOf(active) };
  }

  document.addEventListener('visibilitychange', () => { if (isStale) renew(); });
  // The title of a hidden page marks a halted rollout in the tab bar of the browser.
  setInterval(() => { if (!document.hidden || isStale) renew(true); }, 60000);
  new EventSource(events).addEventListener('change', () => renew());
})();
`;
