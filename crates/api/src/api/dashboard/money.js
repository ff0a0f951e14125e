// Money: what every account comes to, and orders to payment providers that were given up, which a person sends again or
// says what became of.

import { Turns, all, ask } from "./api.js";
import { day, element, money, number } from "./dom.js";
import { empty, heading } from "./parts.js";

const TURN_MS = 10_000;

export const view = { name: "money", title: "Money", roles: ["operator"], floorless: true, mount };

function mount(root, { refuse, say, signal }) {
  const wrong = element("p", { className: "notice wrong", role: "alert", hidden: true });
  const stuck = element("div");
  const sums = element("div");
  root.append(
    heading("Money"),
    wrong,
    element(
      "section",
      { className: "block", "aria-label": "Stuck orders" },
      element("h2", {}, "Orders that are stuck"),
      stuck,
    ),
    element("section", { className: "block", "aria-label": "Accounts" }, element("h2", {}, "Accounts"), sums),
  );
  const fail = (error) => {
    if (signal.aborted) return;
    if (error.status === 403) return refuse(error);
    wrong.hidden = false;
    wrong.textContent = error.message;
  };
  const turns = new Turns(
    TURN_MS,
    async (turn) => {
      const [orders, balances] = await Promise.all([
        all("v1/orders/stuck", turn),
        ask("v1/ledger/balances", { signal: turn }),
      ]);
      wrong.hidden = true;
      accounts(sums, balances.items);
      // A form that somebody writes in stays as it is.
      if (!stuck.contains(document.activeElement))
        orderList(stuck, orders, {
          done: () => {
            say("Done");
            turns.run();
          },
          fail,
          signal,
        });
    },
    fail,
  );
  signal.addEventListener("abort", () => turns.end());
  return {};
}

function accounts(place, balances) {
  const heads = ["Account", "Debits", "Credits", "Balance", "Reserved"];
  const net = (a, b) => ({ ...a, minor: a.minor - b.minor });
  const rows = balances.map((one) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, one.account),
      ...[one.debits, one.credits, net(one.credits, one.debits), net(one.credits_reserved, one.debits_reserved)].map(
        (sum) =>
          element("td", { className: "number" }, sum.minor ? money(sum) : element("span", { className: "faint" }, "0")),
      ),
    ),
  );
  place.replaceChildren(
    balances.length
      ? element(
          "div",
          { className: "wide", tabIndex: 0, role: "group", "aria-label": "Accounts" },
          element(
            "table",
            {},
            element(
              "thead",
              {},
              element(
                "tr",
                {},
                ...heads.map((text, index) => element("th", { scope: "col", className: index ? "number" : "" }, text)),
              ),
            ),
            element("tbody", {}, ...rows),
          ),
        )
      : empty("Nothing was booked yet."),
    element("p", { className: "faint" }, "All accounts but those of single shoppers."),
  );
}

function orderList(place, orders, tools) {
  place.replaceChildren(
    ...(orders.length ? orders.map((order) => card(order, tools)) : [element("p", { className: "tag good" }, "None")]),
  );
}

function card(order, { done, fail, signal }) {
  const act = async (path, body) => {
    try {
      await ask(`v1/orders/${encodeURIComponent(order.order)}/${path}`, { method: "POST", body, signal });
      if (document.activeElement) document.activeElement.blur();
      done();
    } catch (error) {
      fail(error);
    }
  };
  const answer = order.answer
    ? [order.answer.answer, order.answer.message || order.answer.code].filter(Boolean).join(": ")
    : "none";
  const facts = [
    ["Order", order.order],
    ["Cart", order.cart],
    ["Provider", order.provider],
    ["Decided", day(order.made_at)],
    ["Tried", `${number(order.attempts)} times`],
    ["Last answer", answer],
    ...(order.unsure_since ? [["Unsure since", `${day(order.unsure_since)}: it may have been carried out`]] : []),
  ];
  return element(
    "article",
    { className: "order" },
    element(
      "p",
      {},
      element(
        "strong",
        {},
        `${{ authorise: "Hold", capture: "Take", void: "Release", charge: "Charge", refund: "Give back" }[order.task] || order.task} ${money(order.amount)}`,
      ),
    ),
    element(
      "dl",
      { className: "facts" },
      ...facts.flatMap(([head, text]) => [element("dt", {}, head), element("dd", {}, text)]),
    ),
    element(
      "p",
      { className: "row" },
      element("button", { type: "button", className: "main", onclick: () => act("retry") }, "Send again"),
    ),
    resolution(order, act),
  );
}

/** What somebody found out at the provider. */
function resolution(order, act) {
  const moved = element("input", {
    type: "number",
    min: 0,
    step: 10 ** -order.amount.exponent,
    value: (order.amount.minor / 10 ** order.amount.exponent).toFixed(order.amount.exponent),
    "aria-label": `Amount that was moved, ${order.amount.currency}`,
    required: true,
  });
  const reference = element("input", {
    placeholder: "What the provider calls it",
    "aria-label": "Reference",
    maxLength: 255,
    required: true,
  });
  const code = element("input", {
    placeholder: "The provider's code",
    "aria-label": "Code",
    maxLength: 255,
    required: true,
  });
  const form = (submit, text, ...fields) => {
    const made = element("form", { className: "row" }, ...fields, element("button", {}, text));
    made.onsubmit = (event) => {
      event.preventDefault();
      submit();
    };
    return made;
  };
  const minor = () => Math.round(Number(moved.value) * 10 ** order.amount.exponent);
  return element(
    "details",
    {},
    element("summary", {}, "Say what became of it"),
    form(
      () =>
        act("resolution", {
          answer: "done",
          reference: reference.value.trim(),
          amount: { ...order.amount, minor: minor() },
        }),
      "It was carried out",
      reference,
      moved,
    ),
    form(() => act("resolution", { answer: "declined", code: code.value.trim() }), "It was not, and will not be", code),
  );
}
