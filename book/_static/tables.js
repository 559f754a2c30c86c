// A table wider than its place, as on a phone, is turned: columns become rows. One that is then still wider is cut into
// the fewest tables that fit, one below the other. At every width of the window, and when a folded one is opened.
{
  const place = table => table.closest(".fold, .output, .pst-scrollable-table-container");
  const read = table => {
    const grid = [...table.rows].map(() => []);  // a cell that spans several places stands in each
    [...table.rows].forEach((row, r) => [...row.cells].forEach(cell => {
      let c = 0;
      while (grid[r][c]) c += 1;
      for (let i = r; i < Math.min(r + Math.max(cell.rowSpan, 1), grid.length); i += 1)
        for (let j = c; j < c + cell.colSpan; j += 1) grid[i][j] = cell;
    }));
    const top = table.tHead.rows.length, left = grid[top].filter(cell => cell.tagName === "TH").length || 1;
    const name = cells => [...new Set(cells)].map(cell => cell?.innerHTML.trim()).filter(Boolean).join(", ");
    const columns = grid[0].map((_, c) => name(grid.slice(0, top).map(row => row[c]))).slice(left);
    const rows = grid.slice(top).map(row => [name(row.slice(0, left)), ...row.slice(left).map(cell => cell.innerHTML)]);
    return {corner: name(grid.slice(0, top).flatMap(row => row.slice(0, left))), columns, rows};
  };
  const whole = html => html.replace(/<[^>]*>/g, "").length <= 24;  // an interval is not broken into lines
  const build = (corner, columns, rows) => {
    const value = html => `<td${whole(html) ? ' class="whole"' : ""}>${html}</td>`;
    const head = rows.map(row => `<th scope="col">${row[0]}</th>`).join("");
    const cells = c => rows.map(row => value(row[c + 1])).join("");
    const body = columns.map((label, c) => `<th scope="row">${label}</th>${cells(c)}`);
    const table = document.createElement("table");
    table.className = "dataframe turned";
    table.innerHTML = `<thead><tr><td>${corner}</td>${head}</tr></thead>`
      + `<tbody><tr>${body.join("</tr><tr>")}</tr></tbody>`;
    return table;
  };
  const others = new Map();  // table -> what stands in its place
  const instead = (table, tables) => {
    others.get(table)?.forEach(other => other.remove());
    others.set(table, tables);
    table.style.display = tables.length ? "none" : "";
    table.after(...tables);
    return tables[0];
  };
  const turn = tables => {  // all at once: the page is laid out three times, however many tables it has
    tables.forEach(table => instead(table, []));
    const room = new Map(tables.map(table => [table, place(table).clientWidth + 2]));
    const wide = tables.filter(table => room.get(table) > 2 && table.scrollWidth > room.get(table));
    const turned = wide.map(table => [table, read(table)]).map(([table, {corner, columns, rows}]) =>
      ({table, rows, make: some => build(corner, columns, some), one: instead(table, [build(corner, columns, rows)])}));
    const measured = turned.filter(({table, one}) => one.scrollWidth > room.get(table)).map(({one, ...rest}) =>
      ({...rest, widths: [...one.rows[0].cells].map(cell => cell.offsetWidth + 1)}));  // as narrow as they can be
    measured.forEach(({table, rows, make, widths: [labels, ...each]}) => {
      const starts = side => rows.map((_, i) => i).filter(i => i % side === 0);
      const sum = (i, side) => each.slice(i, i + side).reduce((total, width) => total + width, labels);
      const sides = rows.map((_, i) => Math.ceil(rows.length / (i + 1)));  // the fewest tables first
      const side = sides.find(some => starts(some).every(i => sum(i, some) <= room.get(table))) ?? 1;
      instead(table, starts(side).map(i => make(rows.slice(i, i + side))));
    });
  };
  addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;  // formulas have their widths
    const tables = [...document.querySelectorAll(".bd-article :is(.output, .pst-scrollable-table-container) table")]
      .filter(table => table.tHead && table.tBodies[0]);
    tables.filter(table => table.tBodies[0].querySelector("th")).forEach(table =>
      table.querySelectorAll("td").forEach(cell => cell.classList.toggle("whole", whole(cell.innerHTML))));
    const widths = new Map(tables.map(place).map(box => [box, box.clientWidth]));
    turn(tables);  // also those in a closed fold, whose size no observer is told
    const watch = new ResizeObserver(() => requestAnimationFrame(() => {
      const boxes = [...widths.keys()].filter(box => widths.get(box) !== box.clientWidth);  // not height; closed ones, too
      boxes.forEach(box => widths.set(box, box.clientWidth));
      turn(tables.filter(table => boxes.includes(place(table))));
    }));
    [...widths.keys()].forEach(box => watch.observe(box));
  });
}
