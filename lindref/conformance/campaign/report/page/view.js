"use strict";
(() => {
  const text = document.getElementById("filter"), status = document.getElementById("status");
  const rows = [...document.querySelectorAll("#table tbody tr")];
  const show = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const all = row.textContent.toLowerCase();
      row.hidden = !(words.every(word => all.includes(word)) && (!status.value || row.dataset.status === status.value));
      count += !row.hidden;
    }
    document.getElementById("shown").textContent = `${count} of ${rows.length}`;
  };
  document.querySelector(".tools").hidden = false;
  text.addEventListener("input", show);
  status.addEventListener("change", show);
  show();
})();
