// Elements out of tags, attributes and text.
//
// Rule of this file: text goes in as text. Nothing here, or anywhere on the page, parses markup; the page's policy
// (require-trusted-types-for) makes the browser refuse it too.

/** Make an element. Attributes that begin with `on` are listeners; null and false leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Set an element's text where it is another: what somebody has selected stays so. */
export function say(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Show an element, or not. */
export function show(element, shown) {
  if (element.hidden === Boolean(shown)) element.hidden = !shown;
}

/**
 * Keep an element's children in step with entries.
 * @param make key -> {element, update(value)}
 * @returns a function of [[key, value], ...]; rows stay the same elements, so focus and open details survive.
 */
export function keyed(parent, make) {
  const rows = new Map();
  return (entries) => {
    const wanted = new Set(entries.map(([key]) => key));
    for (const [key, row] of rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      rows.delete(key);
    }
    let next = parent.firstElementChild;
    for (const [key, value] of entries) {
      if (!rows.has(key)) rows.set(key, make(key));
      const row = rows.get(key);
      row.update(value);
      if (row.element === next) next = next.nextElementSibling;
      else parent.insertBefore(row.element, next);
    }
  };
}

/** A bar whose filled part is a share; the number stands beside it as text, so it says nothing to a screen reader. */
export function bar(kind = "") {
  const fill = h("span");
  const element = h("div", { class: `bar ${kind}`, "aria-hidden": "true" }, fill);
  return {
    element,
    set(share) {
      fill.style.setProperty("inline-size", `${100 * Math.min(1, Math.max(0, share || 0))}%`);
    },
  };
}

/** A term with its figure. */
export function tile(term) {
  const figure = h("dd");
  const note = h("dd", { class: "note" });
  return {
    element: h("div", { class: "tile" }, h("dt", {}, term), figure, note),
    figure,
    set(value, remark = "") {
      say(figure, value);
      say(note, remark);
    },
  };
}
