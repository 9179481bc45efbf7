// Small comforts. Every page works without this file.
"use strict";

// Copy buttons: shown only where copying can work.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) continue;
  button.hidden = false;
  const label = button.firstChild;
  const words = label.nodeValue;
  button.addEventListener("click", async () => {
    const text = source.value === undefined ? source.textContent : source.value;
    let copied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain http outside loopback has no clipboard interface.
      if (source.select) source.select();
      else getSelection().selectAllChildren(source);
      copied = document.execCommand("copy");
    }
    label.nodeValue = copied ? "Copied" : "Selected";
    setTimeout(() => { label.nodeValue = words; }, 2000);
  });
}

// Password fields can be looked at.
for (const field of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.textContent = "Show";
  button.setAttribute("aria-controls", field.id);
  button.setAttribute("aria-pressed", "false");
  const label = document.querySelector(`label[for="${field.id}"]`);
  button.setAttribute("aria-label", `Show: ${label ? label.textContent : "password"}`);
  const row = document.createElement("div");
  row.className = "reveal-row";
  field.replaceWith(row);
  row.append(field, button);
  button.addEventListener("click", () => {
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    button.textContent = hidden ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(hidden));
  });
  // Never submitted as a readable field: browsers would remember it.
  if (field.form) field.form.addEventListener("submit", () => { field.type = "password"; });
  if (field.autofocus) field.focus();
}

// A first impression of a new password. The server judges it when the form is sent.
for (const group of document.querySelectorAll("[data-new-password]")) {
  const [first, second] = group.querySelectorAll("input");
  const note = group.querySelector(".strength");
  const look = () => {
    const length = [...first.value].length;
    const kinds = new Set(first.value).size;
    let words = "";
    if (length === 0) words = "";
    else if (length < 10) words = `${10 - length} more to go`;
    else if (kinds < 6) words = "Too much repetition";
    else if (length < 14) words = "Long enough, if it is no common word. Another word makes it safer";
    else words = "Looks strong";
    if (second.value !== "" && second.value !== first.value) words = "The two passwords differ";
    note.textContent = words;
    note.hidden = words === "";
    note.classList.toggle("good", words === "Looks strong");
  };
  first.addEventListener("input", look);
  second.addEventListener("input", look);
}

// A server that starts anew: goes on once it answers, however long that takes. It asks for this file, which is here already.
const anew = document.querySelector("[data-once-it-answers]");
if (anew) {
  const itself = document.currentScript.src;
  const go = async () => {
    const answer = await fetch(itself, { cache: "no-store" }).catch(() => null);
    if (answer?.ok) location.replace(anew.href);
    else setTimeout(go, 1000);
  };
  // By then the server that sent the page answers no more.
  setTimeout(go, 3000);
}

// On a small screen the navigation scrolls: begin where we are.
const here = document.querySelector(".nav [aria-current]");
if (here) here.closest(".nav").scrollLeft = here.parentElement.offsetLeft - 24;
