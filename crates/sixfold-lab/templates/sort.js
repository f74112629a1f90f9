// Tables sort by a click on a head, or Enter on it; without this script they are in the order of the report.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("thead th")], body = table.tBodies[0];
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim(), number = Number(text.replace(/[\s\u202f\u00a0]/g, ""));
    return text === "" || text === "–" ? null : Number.isNaN(number) ? text : number;
  };
  const sort = (head, column) => {
    const down = head.ariaSort === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.ariaSort = down ? "descending" : "ascending";
    const order = (a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      // What is missing stays below, whichever way.
      if (x === null || y === null) return (x === null) - (y === null);
      const both = typeof x === "number" && typeof y === "number";
      const step = both ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      return down ? -step : step;
    };
    body.append(...[...body.rows].sort(order));
  };
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    head.title = "Sort by this column";
    head.addEventListener("click", () => sort(head, column));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(head, column); }
    });
  });
}
