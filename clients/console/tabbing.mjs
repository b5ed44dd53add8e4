// Walks through a page with Tab and looks at each stop; finds what axe doesn't:
// no ring, a focus that is covered or out of view, small targets, buttons
// without keys, fields that refuse a paste, tables without heads.

const MOST_TABS = 300;
/** Targets are this wide and high, or have as much space around their middle (WCAG 2.5.8). */
const LEAST_PX = 24;

/** In the page: what is wrong with the element that has the focus; `null` once the page is left. */
function lookAtFocus() {
  const node = document.activeElement;
  if (!node || node === document.body || node === document.documentElement) return null;
  const label = node.labels?.[0];
  const text = (node.getAttribute('aria-label') ?? (node.innerText || label?.innerText || '')).trim().split('\n')[0];
  const name = `${node.tagName.toLowerCase()} "${text.slice(0, 30) || node.id || node.name || ''}"`;
  const around = [node, label, node.nextElementSibling, node.parentElement].filter(Boolean);
  const box = node.getBoundingClientRect();
  const wrong = [];
  const inView = box.top >= -1 && box.left >= -1 && box.right <= innerWidth + 1 && box.top < innerHeight;
  if (!inView) wrong.push('out of view');
  else {
    const over = document.elementFromPoint(
      box.left + box.width / 2, Math.min(box.top + box.height / 2, innerHeight - 2));
    const ours = one => one !== node.parentElement && (one.contains(over) || over.contains(one));
    if (over && !around.some(ours)) wrong.push(`covered by ${over.tagName.toLowerCase()}.${over.className}`);
  }
  const ringed = around.some(one => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  });
  if (!ringed && getComputedStyle(node).boxShadow === 'none') wrong.push('no ring');
  node.setAttribute('data-tabbed', '');
  return wrong.map(what => `${name}: ${what}`);
}

/** In the page: targets that are small and have others too near. A link inside a sentence may be small. */
function lookAtTargets(least) {
  const seen = node =>
    node.checkVisibility({ checkVisibilityCSS: true }) && !node.closest('[inert], [aria-hidden=true]');
  // What stays in place while the page scrolls is near only to what does so too.
  const pinned = node => {
    for (let one = node; one; one = one.parentElement) {
      if (/fixed|sticky/.test(getComputedStyle(one).position)) return true;
    }
    return false;
  };
  const boxOf = node => {
    const own = node.getBoundingClientRect();
    const label = /^(checkbox|radio)$/.test(node.type) && node.labels?.[0]?.contains(node) && node.labels[0];
    const { left, top, right, bottom } = label ? label.getBoundingClientRect() : own;
    const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
    return { left, top, right, bottom, ...middle, node, pinned: pinned(node) };
  };
  const small = box => Math.min(box.right - box.left, box.bottom - box.top) < least - 0.5;
  const apart = (a, b) => small(b)
    ? Math.hypot(a.x - b.x, a.y - b.y)
    : Math.hypot(Math.max(b.left - a.x, 0, a.x - b.right), Math.max(b.top - a.y, 0, a.y - b.bottom)) + least / 2;
  const targets = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
    .filter(node => seen(node) && !node.disabled).map(boxOf).filter(box => box.right > box.left && box.bottom + scrollY > 0);
  const inline = node => node.tagName === 'A' && getComputedStyle(node).display === 'inline';
  return targets.filter(box => small(box) && !inline(box.node)).flatMap(box => {
    const near = targets.find(other =>
      other.node !== box.node && other.pinned === box.pinned && apart(box, other) < least - 0.5);
    if (!near) return [];
    const name = one => (one.node.innerText || one.node.id || one.node.tagName).trim().slice(0, 30);
    const size = `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}`;
    return [`"${name(box)}": only ${size} px, and "${name(near)}" is too near`];
  });
}

/** In the page: what Tab passed over, and what no walk finds. */
function lookAtRest() {
  const seen = node =>
    node.checkVisibility({ checkVisibilityCSS: true }) && !node.closest('[inert], dialog:not([open])');
  const nameOf = node =>
    `${node.tagName.toLowerCase()} "${(node.innerText || node.name || node.id || '').trim().slice(0, 30)}"`;
  const wrong = [];
  const inGroup = node => node.type === 'radio' && !node.checked;
  // For the Enter key alone: hidden from everybody, as the walk finds it.
  const forEnter = node => node.tabIndex === -1 && node.getAttribute('aria-hidden') === 'true';
  const targets =
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=switch]';
  for (const node of document.querySelectorAll(targets)) {
    if (node.disabled || inGroup(node) || forEnter(node) || !seen(node)) continue;
    if (!node.hasAttribute('data-tabbed')) wrong.push(`${nameOf(node)}: Tab passes it over`);
  }
  for (const node of document.querySelectorAll('input, textarea')) {
    const paste = new ClipboardEvent('paste', { bubbles: true, cancelable: true });
    if (seen(node) && !node.dispatchEvent(paste)) wrong.push(`${nameOf(node)}: refuses a paste`);
  }
  for (const node of document.querySelectorAll('table')) {
    if (seen(node) && !node.querySelector('th')) wrong.push(`${nameOf(node)}: a table without heads`);
  }
  document.querySelectorAll('[data-tabbed]').forEach(node => node.removeAttribute('data-tabbed'));
  return wrong;
}

/** Puts the focus before the first element, wherever it is now. */
function beginAtTop() {
  document.activeElement?.blur();
  getSelection().removeAllRanges();
  const top = document.createElement('span');
  top.tabIndex = -1;
  document.body.prepend(top);
  top.focus();
  top.remove();
}

/** Everything that is wrong with the page for somebody who has a keyboard. */
export async function tabbing(page) {
  await page.evaluate(beginAtTop);
  const wrong = [];
  for (let tabs = 0; ; tabs += 1) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(lookAtFocus);
    if (found === null) break;
    wrong.push(...found);
    if (tabs > MOST_TABS) return [`Tab has no end within ${MOST_TABS} stops`];
  }
  wrong.push(...await page.evaluate(lookAtTargets, LEAST_PX), ...await page.evaluate(lookAtRest));
  return [...new Set(wrong)];
}
