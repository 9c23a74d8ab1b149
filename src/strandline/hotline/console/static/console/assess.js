// Assessing without a reload: show and hide, styles, one more child, shortcuts. The page works without it.
"use strict";
(() => {
  const form = document.getElementById("assess");
  const frame = document.getElementById("picture");
  const show = document.getElementById("show");
  const keys = document.getElementById("keys");
  if (!form || !frame || !show || !keys) return;

  const STORED = "single-keys";
  let shown = frame.dataset.shown !== "";

  const style = () => form.querySelector("input[name=style]:checked").value;
  const label = (text) => {
    show.firstChild.textContent = `${text} `;
    show.value = shown ? "hide" : "show";
  };
  const draw = () => {
    frame.textContent = "";
    if (shown) {
      const image = document.createElement("img");
      image.alt = "Degraded picture of this item";
      image.src = frame.dataset.base.replace("STYLE", style());
      image.addEventListener("error", () => { frame.textContent = "The picture could not be opened. Reload the page, or skip this address."; });
      frame.append(image);
    } else {
      const said = document.createElement("p");
      said.className = "soft";
      said.textContent = "The picture is hidden.";
      frame.append(said);
    }
    label(shown ? "Hide" : "Show");
  };

  show.addEventListener("click", (event) => { event.preventDefault(); shown = !shown; draw(); });
  form.querySelectorAll("input[name=style]").forEach((radio) =>
    radio.addEventListener("change", () => { if (shown) draw(); }));

  document.getElementById("more").addEventListener("click", (event) => {
    const template = document.getElementById("child-row");
    const rows = form.querySelectorAll("fieldset.child").length;
    event.preventDefault();
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("ROW", String(rows));
    const row = holder.firstElementChild;
    row.querySelector(".child-number").textContent = String(rows + 1);
    template.before(row);
    row.querySelector("input").focus();
  });

  // Single keys can be switched off (WCAG 2.1.4); the choice stays in this browser.
  const remember = () => {
    form.classList.toggle("with-keys", keys.checked);
    try { localStorage.setItem(STORED, keys.checked ? "on" : "off"); } catch { /* private window */ }
  };
  let stored = "on";
  try { stored = localStorage.getItem(STORED) || "on"; } catch { /* private window */ }
  keys.checked = stored !== "off";
  keys.closest("label").hidden = false;
  keys.addEventListener("change", remember);
  remember();

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) {
      event.preventDefault();
      document.getElementById("record").click();
      return;
    }
    if (!keys.checked || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("select, textarea, input:not([type=radio]):not([type=checkbox])")) return;
    const key = event.key.toLowerCase();
    if (key === "s") show.click();
    else if (key === "c") document.getElementById("more").click();
    else if ("123".includes(key) && key !== "") {
      const radio = form.querySelectorAll("input[name=style]")[Number(key) - 1];
      if (!radio.checked) { radio.checked = true; if (shown) draw(); }
    } else return;
    event.preventDefault();
  });
})();
