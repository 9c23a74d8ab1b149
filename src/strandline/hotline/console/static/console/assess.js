// Assessing without a reload: show and hide, styles, a child more or less, shortcuts. The page works without it.
"use strict";
(() => {
  const form = document.getElementById("assess");
  const frame = document.getElementById("picture");
  const show = document.getElementById("show");
  const keys = document.getElementById("keys");
  if (!form || !frame || !show || !keys) return;

  const STORED = "single-keys";
  let shown = frame.dataset.shown !== "";
  // Then the server answers the next press, with the form as it is and its reason.
  let failed = false;

  const style = () => form.querySelector("input[name=style]:checked").value;
  const label = (text) => {
    show.firstChild.textContent = `${text} `;
    show.value = shown ? "hide" : "show";
  };
  const draw = () => {
    frame.textContent = "";
    if (shown) {
      const image = document.createElement("img");
      image.alt = frame.dataset.alt;
      image.src = frame.dataset.base.replace("STYLE", style());
      image.addEventListener("error", () => {
        frame.textContent = frame.dataset.failed;
        failed = true;
        shown = false;
        label("Show");
      });
      frame.append(image);
    } else {
      const said = document.createElement("p");
      said.className = "soft";
      said.textContent = frame.dataset.hidden;
      frame.append(said);
    }
    label(shown ? "Hide" : "Show");
  };

  show.addEventListener("click", (event) => {
    if (failed) return;
    event.preventDefault();
    shown = !shown;
    draw();
  });
  form.querySelectorAll("input[name=style]").forEach((radio) =>
    radio.addEventListener("change", () => { if (shown) draw(); }));

  const children = document.getElementById("field-children");
  const more = document.getElementById("more");
  const rows = () => [...children.querySelectorAll("fieldset.child")];
  // Rows are numbered without a gap, in their names too; those before it have their numbers already.
  const number = () => {
    const all = rows();
    all.forEach((row, index) => {
      row.id = `child-${index}`;
      row.querySelectorAll(".child-number").forEach((said) => { said.textContent = String(index + 1); });
      row.querySelectorAll("input").forEach((input) => {
        const name = input.name.replace(/^child-[0-9]+/, row.id);
        if (name === input.name) return;
        const chosen = input.checked;
        input.name = name;
        input.checked = chosen;
      });
      const remove = row.querySelector(".remove");
      remove.value = `remove-${index}`;
      remove.hidden = all.length === 1;
    });
    more.hidden = all.length >= Number(children.dataset.most);
    document.getElementById("full").hidden = !more.hidden;
  };

  more.addEventListener("click", (event) => {
    event.preventDefault();
    if (more.hidden) return;
    const template = document.getElementById("child-row");
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("ROW", String(rows().length));
    const row = holder.firstElementChild;
    template.before(row);
    number();
    row.querySelector("input").focus();
  });
  children.addEventListener("click", (event) => {
    const remove = event.target.closest(".remove");
    if (!remove) return;
    event.preventDefault();
    remove.closest("fieldset.child").remove();
    number();
    more.focus();
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
    else if (key === "c") more.click();
    else if ("123".includes(key) && key !== "") {
      const radio = form.querySelectorAll("input[name=style]")[Number(key) - 1];
      if (!radio.checked) { radio.checked = true; if (shown) draw(); }
    } else return;
    event.preventDefault();
  });
})();
