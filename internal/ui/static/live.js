// Fetches the page again when the store has changed, and puts in place what is different.
// Elements are the same that have the same id, or that stand in the same place without one.
// A form that a person uses, or text that they mark, is left alone until they go on.
"use strict";

const body = document.body;
const live = document.getElementById("live");
const stream = document.getElementById("stream");
const atFirst = body.dataset.state;
let due = false; // there is, or may be, something new
let busy = false;
let kept = false; // something new was left out, since it is in use

const used = (node) => node.contains(document.activeElement);

// update makes old what fresh is, and changes of it only what differs.
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
  let at = old.firstChild; // in front of what comes next
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

// nameless is the next node without an id, from one on, if it is like another.
function nameless(from, like) {
  while (from && from.id) from = from.nextSibling;
  return from && from.nodeName === like.nodeName ? from : null;
}

// selecting: a person marks text, to copy it.
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
    if (focused !== document.activeElement) focused.focus({ preventScroll: true }); // it was moved
    document.title = page.title;
    if (atEnd && document.getElementById("messages")) scrollTo(0, document.documentElement.scrollHeight);
    stream.textContent = stream.dataset.live;
  } catch {
    kept = true;
    stream.textContent = stream.dataset.still;
  } finally {
    busy = false;
  }
  refresh(); // more may have come meanwhile
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
  live.addEventListener("focusout", () => setTimeout(goOn)); // when the focus is where it goes
  document.addEventListener("selectionchange", goOn);
  document.addEventListener("visibilitychange", goOn);
}
