"use strict";
// Without this everything is there and every link works; with it, a box and its card light up together.
(() => {
  const light = (event) => {
    const one = event.target.closest("[data-picture]");
    document.querySelectorAll(".lit").forEach((element) => element.classList.remove("lit"));
    if (!one) return;
    document.querySelectorAll("[data-picture]").forEach((element) => {
      if (element.dataset.picture === one.dataset.picture) element.classList.add("lit");
    });
  };
  document.addEventListener("pointerover", light);
  document.addEventListener("focusin", light);
})();
