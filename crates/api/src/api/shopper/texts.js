// Every text of the shopper's page, in each of its languages, and which one is shown. No text stands anywhere else.

const KEY = "language";

export const TEXTS = {
  en: {
    tag: "en",
    title: "Your visit",
    other: "中文",
    loading: "One moment…",

    door_title: "See your cart",
    door_help: "Open the link that the gate gave you, or type the code from its screen.",
    door_label: "Code",
    door_enter: "Show my cart",
    door_wrong: "A code has eight letters and digits, like K7QF-2M9D.",
    pass_unknown: "This link or code is not known here, or it has ended.",
    too_many: "Too many tries. Please wait a minute, or use the link.",
    unreachable: "The shop cannot be reached.",
    failed: "That did not work. Please try again.",
    not_for: "This page is for shoppers, and this key is for somebody who works here.",
    sign_out: "Close my visit on this phone",

    live: "live",
    connecting: "connecting…",
    stale: "Not live. What you see was so {ago}.",
    try_now: "Try now",

    cart_title: "Your cart",
    cart_note: "As it looks now. Your receipt comes when you leave.",
    cart_empty: "Nothing yet. Take what you like, and it appears here.",
    left_note: "You have left. Your receipt comes in a moment.",
    receipt_title: "Your receipt",
    receipt_empty: "You took nothing, and nothing is charged.",
    waiting_title: "A person is looking at it",
    waiting_note: "You need not wait. Your receipt will be here.",
    over_title: "This visit did not begin",
    over_note: "Nobody came in with this pass. Nothing is charged.",
    total: "Total",
    total_now: "Total so far",
    no_price: "no price yet",
    each: "{price} each",
    tax: "Tax {rate} ({name}), included",
    came: "Came in {time}",
    left: "left {time}",
    certainty_likely: "fairly sure",
    certainty_unsure: "not sure",
    added: "Taken: {name}",
    removed: "Put back: {name}",

    doubts_title: "What we are not sure about",
    notes_title: "Please note",
    doubt_count: "{name}: whether it is exactly {count}.",
    doubt_whole: "Whether the list is complete. Something may be missing, or too much.",
    doubt_unseen: "The shop did not see all of your visit.",
    doubt_no_price: "{name}: it has no price yet.",
    doubt_no_payer: "Who pays: no entry at the gate fits this visit.",
    doubt_unpaid: "The payment did not go through.",
    doubt_disputed: "Your bank took the money back.",
    doubt_recomputed: "It came out otherwise when it was looked at again.",
    doubts_open:
      "You need not do anything. If we are still not sure when you leave, a person looks before anything is charged.",
    doubts_review: "Nobody pays for a doubt: nothing is charged before a person has looked.",

    standing_review: "being looked at",
    standing_due: "being charged",
    standing_paid: "paid",
    standing_unpaid: "not paid",
    standing_credited: "corrected",
    standing_voided: "not charged",
    standing_unbilled: "nothing to pay",
    held: "{amount} is set aside meanwhile. It is not charged.",
    charged: "{amount} was charged.",

    contest: "Wrong?",
    contest_line: "{name} is wrong",
    contest_all: "Something else is wrong",
    contest_all_name: "the whole receipt",
    contest_soon: "A person will look at {name}.",
    undo: "Undo",
    undone: "Undone.",
    contest_sent: "Said to be wrong. A person looks at it.",
    contest_kept: "Looked at: it was right.",
    contest_changed: "Looked at: the receipt was corrected.",
    contest_cancelled: "Looked at: you pay nothing.",
    contest_failed: "It could not be sent. Please try again.",
    contest_until: "You can say until {day} that something is wrong.",
    contest_ended: "The time to contest this receipt is over.",
    print: "Print",
    save: "Save receipt",

    group_title: "Your group",
    person: "Person {number}",
    you_pay: "You pay for everybody in this group.",
    host_pays: "Whoever was let in at the gate pays for everybody.",
    nothing: "nothing",

    history_title: "Earlier visits",

    data_title: "Your data",
    data_note: "What the shop knows about you, to keep or to have erased.",
    export: "Download my data",
    erase: "Erase my data",
    erase_title: "Erase your data?",
    erase_goes:
      "Erased are your name and contact, your ways to pay, what you show at gates, keys and passes, why your receipts say what they say, and what you wrote.",
    erase_stays:
      "Kept are receipts and the ledger, because the law on accounts wants them. Nothing in them leads to you any more.",
    erase_then: "You cannot come in as before, and this page closes. It cannot be undone.",
    erase_yes: "Erase for good",
    erase_no: "Keep my data",
    erase_conflict:
      "Not yet: you are inside, a receipt waits for a person, or something is not paid. Try again when that is settled.",
    erased: "Your data are erased.",
    ends: "This page is open to you until {day}.",
  },

  zh: {
    tag: "zh-CN",
    title: "本次购物",
    other: "English",
    loading: "请稍候…",

    door_title: "查看购物车",
    door_help: "请打开入口闸机提供的链接，或输入闸机屏幕上的入店码。",
    door_label: "入店码",
    door_enter: "查看购物车",
    door_wrong: "入店码为八位字母和数字，例如 K7QF-2M9D。",
    pass_unknown: "链接或入店码无效，或已过期。",
    too_many: "尝试次数过多，请一分钟后再试，或使用链接打开。",
    unreachable: "无法连接到店铺。",
    failed: "操作失败，请重试。",
    not_for: "本页面供顾客使用，此密钥属于店铺员工。",
    sign_out: "在此手机上退出",

    live: "实时",
    connecting: "正在连接…",
    stale: "连接中断，当前显示的是{ago}的内容。",
    try_now: "立即重试",

    cart_title: "购物车",
    cart_note: "以上为当前识别结果，离店后生成小票。",
    cart_empty: "还没有商品。直接拿取，商品会自动出现在这里。",
    left_note: "您已离店，小票即将生成。",
    receipt_title: "购物小票",
    receipt_empty: "您没有拿取商品，不会扣款。",
    waiting_title: "工作人员核实中",
    waiting_note: "您不必等待，核实后小票会显示在这里。",
    over_title: "本次未进店",
    over_note: "没有人用此凭证进店，不会扣款。",
    total: "合计",
    total_now: "目前合计",
    no_price: "暂无价格",
    each: "单价 {price}",
    tax: "含税 {rate}（{name}）",
    came: "进店 {time}",
    left: "离店 {time}",
    certainty_likely: "基本确定",
    certainty_unsure: "有疑问",
    added: "已拿取：{name}",
    removed: "已放回：{name}",

    doubts_title: "有疑问的地方",
    notes_title: "请注意",
    doubt_count: "{name}：数量是否正好为 {count} 件。",
    doubt_whole: "清单是否完整，可能有遗漏，也可能多算。",
    doubt_unseen: "本次购物有一部分未能识别到。",
    doubt_no_price: "{name}：暂无价格。",
    doubt_no_payer: "由谁付款：没有与本次购物相符的进店记录。",
    doubt_unpaid: "付款未成功。",
    doubt_disputed: "银行已退回这笔款项。",
    doubt_recomputed: "再次核对的结果与小票不同。",
    doubts_open: "您无需任何操作。离店时若仍有疑问，会先由工作人员核实，再行扣款。",
    doubts_review: "有疑问的商品不会直接收费：工作人员核实之前不会扣款。",

    standing_review: "核实中",
    standing_due: "扣款中",
    standing_paid: "已支付",
    standing_unpaid: "未支付",
    standing_credited: "已更正",
    standing_voided: "未扣款",
    standing_unbilled: "无需付款",
    held: "期间预留 {amount}，尚未扣款。",
    charged: "已扣款 {amount}。",

    contest: "有误？",
    contest_line: "{name}有误",
    contest_all: "其他地方有误",
    contest_all_name: "整张小票",
    contest_soon: "将由工作人员核实：{name}。",
    undo: "撤销",
    undone: "已撤销。",
    contest_sent: "已提出异议，工作人员核实中。",
    contest_kept: "已核实：小票无误。",
    contest_changed: "已核实：小票已更正。",
    contest_cancelled: "已核实：您无需付款。",
    contest_failed: "提交失败，请重试。",
    contest_until: "如有异议，可在 {day} 之前提出。",
    contest_ended: "此小票已过异议期。",
    print: "打印",
    save: "保存小票",

    group_title: "同行人",
    person: "第 {number} 位",
    you_pay: "您为所有同行人付款。",
    host_pays: "由扫码进店的人统一付款。",
    nothing: "无",

    history_title: "历史购物",

    data_title: "您的数据",
    data_note: "店铺保存的与您有关的数据，可下载或删除。",
    export: "下载我的数据",
    erase: "删除我的数据",
    erase_title: "确定删除您的数据？",
    erase_goes: "将删除：姓名和联系方式、支付方式、进店凭证、密钥和链接、小票的识别依据，以及您填写的内容。",
    erase_stays: "将保留：小票和账目，因会计法规要求必须保存，但其中不再有任何指向您的信息。",
    erase_then: "此后您无法再以原有方式进店，本页面也将关闭。此操作无法撤销。",
    erase_yes: "永久删除",
    erase_no: "保留我的数据",
    erase_conflict: "暂时无法删除：您仍在店内、有小票待核实，或有款项未结清。结清后请再试。",
    erased: "您的数据已删除。",
    ends: "此页面的有效期至 {day}。",
  },
};

const names = Object.keys(TEXTS);
const kept = localStorage.getItem(KEY);
const wished = navigator.languages.map((tag) => tag.split("-")[0].toLowerCase());
let chosen = names.includes(kept) ? kept : wished.find((name) => names.includes(name)) || names[0];

/** The language that is shown. */
export const language = () => chosen;

/** Shows the next language, and from now on in this browser. */
export function change() {
  chosen = names[(names.indexOf(chosen) + 1) % names.length];
  localStorage.setItem(KEY, chosen);
}

/** A text, with values in place of what stands in braces. */
export function t(key, values = {}) {
  return TEXTS[chosen][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** How long ago something was, in words. */
export function ago(millis) {
  const secs = Math.max(1, Math.round(millis / 1000));
  const write = new Intl.RelativeTimeFormat(TEXTS[chosen].tag);
  if (secs < 90) return write.format(-secs, "second");
  if (secs < 5400) return write.format(-Math.round(secs / 60), "minute");
  return write.format(-Math.round(secs / 3600), "hour");
}
