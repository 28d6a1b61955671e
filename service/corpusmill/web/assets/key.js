// The API key's dialog.

import { key } from "./api.js";
import { say, show } from "./dom.js";

/** Wire the dialog; `changed` is called when there is another key, or none any more. */
export function keyDialog({ dialog, button, changed }) {
  const field = dialog.querySelector("#key");
  const wrong = dialog.querySelector("#key-wrong");
  const forget = dialog.querySelector("#key-forget");

  function open(problem = "") {
    say(wrong, problem);
    show(forget, key.get());
    show(button, true);
    if (!dialog.open) dialog.showModal();
    field.focus();
  }

  function use(secret) {
    if (secret) key.set(secret);
    else key.forget();
    field.value = "";
    dialog.close();
    changed();
  }

  dialog.querySelector("#key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) use(field.value.trim());
  });
  forget.addEventListener("click", () => use(null));
  dialog.querySelector("#key-close").addEventListener("click", () => dialog.close());
  button.addEventListener("click", () => open());
  return open;
}
