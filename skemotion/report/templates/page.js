"use strict";
(() => {
  const filters = document.getElementById("filters");
  if (!filters) return;
  const rows = [...document.querySelectorAll("#recordings tbody tr")];
  const selects = [...filters.querySelectorAll("select")];
  const shown = document.getElementById("shown");

  function filter() {
    let n = 0;
    for (const row of rows) {
      row.hidden = selects.some(
        (each) => each.value !== "" && row.dataset[each.dataset.key] !== each.value
      );
      if (row.hidden) row.querySelector("audio")?.pause();
      else n += 1;
    }
    shown.textContent = `${n} of ${rows.length} shown`;
  }

  function follow(row, audio) {
    const scene = row.querySelector(".scene div");
    const cursor = row.querySelector(".cursor");
    let frame = 0;
    const draw = () => {
      if (cursor && audio.duration > 0) {
        cursor.style.left = `${(100 * audio.currentTime) / audio.duration}%`;
      }
      frame = audio.paused ? 0 : requestAnimationFrame(draw);
    };
    audio.addEventListener("play", () => {
      for (const other of document.querySelectorAll(".playing audio")) {
        if (other !== audio) other.pause();
      }
      row.classList.add("playing");
      if (!frame) draw();
    });
    audio.addEventListener("pause", () => row.classList.remove("playing"));
    scene?.addEventListener("click", (event) => {
      const box = scene.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      const start = () => {
        audio.currentTime = share * audio.duration;
        audio.play();
      };
      if (audio.readyState >= 1) start();
      else {
        audio.addEventListener("loadedmetadata", start, { once: true });
        audio.load();
        audio.preload = "auto";
      }
    });
  }

  for (const row of rows) {
    const audio = row.querySelector("audio");
    if (audio) follow(row, audio);
  }
  filters.addEventListener("change", filter);
  filters.hidden = false;
  filter();
})();
