// What a shopper can have of their data: a file of all of it, and oblivion, after saying plainly what goes and what the law keeps.

import { ask, bearer } from "./api.js";
import { element } from "./dom.js";
import { t } from "./texts.js";

/** A file from the server, kept by the browser under this name. */
export async function save(path, accept, name) {
  const answer = await fetch(path, { headers: { Authorization: bearer(), Accept: accept }, cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const url = URL.createObjectURL(await answer.blob());
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The part of the page about it, for whoever may; `erased()` when it is done. */
export function dataPart(me, erased) {
  if (!me.shopper || !me.may.includes("shopper.export")) return null;
  const path = `v1/shoppers/${me.shopper}`;
  const wrong = element("p", { className: "wrong", role: "alert" });
  const file = async () => {
    wrong.textContent = "";
    await save(`${path}/export`, "application/json", "my-data.json").catch(() => {
      wrong.textContent = t("failed");
    });
  };
  return element(
    "details",
    { className: "card", id: "data" },
    element("summary", {}, t("data_title")),
    element("p", {}, t("data_note")),
    element(
      "p",
      { className: "buttons" },
      element("button", { type: "button", onclick: file }, t("export")),
      element("button", { type: "button", className: "danger", onclick: () => question(path, erased) }, t("erase")),
    ),
    wrong,
  );
}

/** Asks once more, and says what it means. */
function question(path, erased) {
  const wrong = element("p", { className: "wrong", role: "alert" });
  const no = element("button", { type: "button", onclick: () => dialog.close() }, t("erase_no"));
  const yes = element("button", { type: "button", className: "danger" }, t("erase_yes"));
  yes.onclick = async () => {
    yes.disabled = true;
    try {
      await ask(path, { method: "DELETE" });
      dialog.close();
      erased();
    } catch (error) {
      yes.disabled = false;
      wrong.textContent = t(error.status === 409 ? "erase_conflict" : error.status ? "failed" : "unreachable");
    }
  };
  const dialog = element(
    "dialog",
    { "aria-labelledby": "erase-title" },
    element("h2", { id: "erase-title" }, t("erase_title")),
    element("p", {}, t("erase_goes")),
    element("p", {}, t("erase_stays")),
    element("p", {}, t("erase_then")),
    wrong,
    element("p", { className: "buttons" }, no, yes),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
}
