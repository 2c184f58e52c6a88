// Puts a text on the clipboard. Without it, the text is marked and copied by hand.
"use strict";
(() => {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
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
  }
})();
