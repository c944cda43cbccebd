// Fetches the page again when the store has changed, and replaces only what differs.
// Elements are matched by id, or by position if they have no id.
// A form in use and selected text are not changed until the person moves on.
"use strict";

const body = document.body;
const live = document.getElementById("live");
const stream = document.getElementById("stream");
const atFirst = body.dataset.state;
let due = false; // there are, or may be, changes to fetch
let busy = false;
let kept = false; // a change was not applied, because its element is in use

const used = (node) => node.contains(document.activeElement);

// update turns old into fresh, changing only what differs.
function update(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.nodeName === "FORM" && used(old)) { // its button may be about to be pressed
    kept = true;
    return;
  }
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const name of fresh.getAttributeNames()) old.setAttribute(name, fresh.getAttribute(name));
  const known = new Map([...old.children].filter((e) => e.id).map((e) => [e.id, e]));
  const wanted = new Set([...fresh.children].map((e) => e.id));
  const rest = new Set(old.childNodes);
  let at = old.firstChild; // the next node is inserted before this one
  const goes = (node) => !rest.has(node) || (node.id && !wanted.has(node.id));
  for (const node of [...fresh.childNodes]) {
    while (at && goes(at)) at = at.nextSibling;
    const same = node.id ? known.get(node.id) : nameless(at, node);
    if (!same || same.nodeName !== node.nodeName) {
      old.insertBefore(node, at);
      continue;
    }
    rest.delete(same);
    if (same !== at) old.insertBefore(same, at);
    update(same, node);
  }
  for (const node of rest) {
    if (used(node)) kept = true;
    else node.remove();
  }
}

// nameless returns the next node without an id, starting with from, if its type is that of like.
function nameless(from, like) {
  while (from && from.id) from = from.nextSibling;
  return from && from.nodeName === like.nodeName ? from : null;
}

// selecting reports whether text of the page is selected, for example to be copied.
function selecting() {
  const selection = getSelection();
  return selection && !selection.isCollapsed && live.contains(selection.anchorNode);
}

async function refresh() {
  if (!due || busy || document.hidden || selecting()) return;
  busy = true;
  due = false;
  try {
    const answer = await fetch(location.href, { headers: { "Bridge-Live": "1" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (selecting()) {
      due = true;
      return;
    }
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 40;
    const focused = document.activeElement;
    kept = false;
    update(live, page.getElementById("live"));
    if (focused !== document.activeElement) focused.focus({ preventScroll: true }); // it lost the focus by being moved
    document.title = page.title;
    if (atEnd && document.getElementById("messages")) scrollTo(0, document.documentElement.scrollHeight);
    stream.textContent = stream.dataset.live;
  } catch {
    kept = true;
    stream.textContent = stream.dataset.still;
  } finally {
    busy = false;
  }
  refresh(); // there may be further changes by now
}

function goOn() {
  due ||= kept;
  refresh();
}

document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
if (live && stream) {
  const events = new EventSource(body.dataset.events);
  let first = true;
  events.onmessage = (e) => {
    stream.textContent = stream.dataset.live;
    due ||= !first || e.data !== atFirst;
    first = false;
    refresh();
  };
  events.onerror = () => { stream.textContent = stream.dataset.still; };
  live.addEventListener("focusout", () => setTimeout(goOn)); // after the focus has moved
  document.addEventListener("selectionchange", goOn);
  document.addEventListener("visibilitychange", goOn);
}
