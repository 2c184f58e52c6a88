// Puts a text on the clipboard. Without it, the text is marked and copied by hand.
"use strict";
(() => {
  document.documentElement.classList.add("scripts");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy);
    text.focus();
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      button.textContent = button.dataset.done;
    } catch {
      if (document.execCommand("copy")) button.textContent = button.dataset.done;
    }
  });
})();
