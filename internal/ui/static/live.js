// Fetches the page again when the store has changed, and puts in place what is different.
// Elements are the same that have the same id; the others of a changed parent are replaced.
"use strict";

const body = document.body;
const live = document.getElementById("live");
const stream = document.getElementById("stream");
let shown = body.dataset.state;
let busy = false;

function update(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || !fresh.querySelector(":scope > [id]")) {
    old.replaceWith(fresh);
    return;
  }
  for (const name of fresh.getAttributeNames()) old.setAttribute(name, fresh.getAttribute(name));
  const kept = new Map([...old.children].filter((e) => e.id).map((e) => [e.id, e]));
  const gone = new Set(old.childNodes);
  let at = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const same = node.id && kept.get(node.id);
    if (!same) {
      old.insertBefore(node, at);
      continue;
    }
    gone.delete(same);
    while (at && at !== same && gone.has(at)) at = at.nextSibling;
    if (at === same) at = same.nextSibling;
    else old.insertBefore(same, at);
    update(same, node);
  }
  for (const node of gone) node.remove();
}

// Nothing is changed under a person who copies, types, or is about to press a button.
function inUse() {
  const selection = getSelection();
  return (selection && !selection.isCollapsed) || live.contains(document.activeElement);
}

async function refresh(state) {
  if (busy || document.hidden || inUse()) return;
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { "Bridge-Live": "1" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 40;
    update(live, page.getElementById("live"));
    if (atEnd && document.getElementById("messages")) scrollTo(0, document.documentElement.scrollHeight);
    shown = state;
    stream.textContent = stream.dataset.live;
  } catch {
    stream.textContent = stream.dataset.still;
  } finally {
    busy = false;
  }
}

if (live && stream) {
  const events = new EventSource(body.dataset.events);
  let first = true;
  events.onmessage = (e) => {
    stream.textContent = stream.dataset.live;
    if (!first || e.data !== shown) refresh(e.data);
    first = false;
  };
  events.onerror = () => { stream.textContent = stream.dataset.still; };
}
