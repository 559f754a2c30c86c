// A table wider than its place, as on a phone, is turned: columns become rows. One that is then still wider is cut into
// the fewest tables that fit, one below the other. At every width of the window, and when a folded one is opened.
const read = table => {
  const grid = [...table.rows].map(() => []);  // a cell that spans several places stands in each
  [...table.rows].forEach((row, r) => [...row.cells].forEach(cell => {
    let c = 0;
    while (grid[r][c]) c += 1;
    for (let i = 0; i < cell.rowSpan; i += 1) for (let j = 0; j < cell.colSpan; j += 1) grid[r + i][c + j] = cell;
  }));
  const top = table.tHead.rows.length, left = grid[top].filter(cell => cell.tagName === "TH").length;
  const name = cells => [...new Set(cells.map(cell => cell.innerHTML.trim()))].filter(Boolean).join(", ");
  const columns = grid[0].map((_, c) => name(grid.slice(0, top).map(row => row[c])));
  const rows = grid.slice(top).map(row => [name(row.slice(0, left)), ...row.slice(left).map(cell => cell.innerHTML)]);
  return {columns: columns.slice(left), rows};
};
const build = (columns, rows) => {
  const place = html => `<td${html.length > 24 ? "" : ' class="whole"'}>${html}</td>`;  // an interval is not broken
  const table = document.createElement("table"), each = columns.map((_, c) => rows.map(row => place(row[c + 1])));
  table.className = "dataframe turned";
  table.innerHTML = `<thead><tr><td></td>${rows.map(row => `<th scope="col">${row[0]}</th>`).join("")}</tr></thead><tbody>`
    + columns.map((label, c) => `<tr><th scope="row">${label}</th>${each[c].join("")}</tr>`).join("") + "</tbody>";
  return table;
};
const others = new Map();  // table -> what stands in its place
const turn = table => {
  const box = table.closest(".output, .pst-scrollable-table-container");
  const over = one => one.scrollWidth > box.clientWidth + 2;
  const instead = tables => {
    others.get(table)?.forEach(other => other.remove());
    others.set(table, tables);
    table.style.display = tables.length ? "none" : "";
    table.after(...tables);
    return tables;
  };
  instead([]);
  if (!box.clientWidth || !over(table)) return;
  const {columns, rows} = read(table);
  for (let n = 1; n <= rows.length; n += 1) {
    const side = Math.ceil(rows.length / n), starts = rows.map((_, i) => i).filter(i => i % side === 0);
    if (!instead(starts.map(i => build(columns, rows.slice(i, i + side)))).some(over)) return;
  }
};
addEventListener("load", () => {
  const tables = [...document.querySelectorAll(".bd-article :is(.output, .pst-scrollable-table-container) table")]
    .filter(table => table.tHead && table.tBodies[0]?.querySelector("th"));
  const widths = new Map();
  const watch = new ResizeObserver(changed => requestAnimationFrame(() => changed.forEach(({target}) => {
    if (widths.get(target) === target.clientWidth) return;  // only its height has changed
    widths.set(target, target.clientWidth);
    tables.filter(table => target.contains(table)).forEach(turn);
  })));
  new Set(tables.map(table => table.closest(".output, .pst-scrollable-table-container"))).forEach(box => watch.observe(box));
});
