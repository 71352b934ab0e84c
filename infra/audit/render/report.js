"use strict";
(() => {
  const form = document.getElementById("filters");
  const leftOut = document.getElementById("left-out");
  const rows = [...document.querySelectorAll("tr[data-level]")];
  const ticked = name => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map(i => i.value));
  const apply = () => {
    const level = ticked("level"), kind = ticked("class"), where = ticked("in");
    const anywhere = !form.querySelector("input[name=in]");
    const words = form.elements.words.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const places = row.dataset.in.trim().split(/\s+/);
      row.hidden = !(level.has(row.dataset.level) && kind.has(row.dataset.class) &&
        (anywhere || places.some(p => where.has(p))) && row.textContent.toLowerCase().includes(words));
      shown += row.hidden ? 0 : 1;
    }
    for (const part of document.querySelectorAll("section.class")) {
      part.hidden = !part.querySelector("tr[data-level]:not([hidden])");
    }
    form.querySelector("output").value = `${shown} of ${rows.length} lines`;
    // Paper has no filters: what they hide is said there.
    leftOut.textContent = `The filters hide ${rows.length - shown} of ${rows.length} lines.`;
    leftOut.hidden = shown === rows.length;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", e => e.preventDefault());
  form.hidden = rows.length === 0;
  apply();
  // What is folded on a screen is read on paper.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach(d => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(d => { d.open = false; }));
})();
