import type { Group } from "../catalogue";

export const joint = {
  title: ["统筹派遣", "Send together"],
  about: ["对多起待派事件一起求解:不让先派的抢走后派更需要的人。", "Solves several waiting cases at once, so that the first does not take whom the next needs more."],
  gain: ["平均到达 {ours},逐件派遣 {theirs},平均快 {gain}", "On average there in {ours}, one by one {theirs}: {gain} sooner"],
  same: ["与逐件派遣结果相同,平均到达 {ours}", "The same as one by one: there in {ours} on average"],
  unmet: ["逐件派遣会有 {n} 件派不出人", "One by one would leave {n} without anybody"],
  few: ["待派事件不足两件,直接派遣即可。", "Fewer than two cases wait: just send."],
  capped: ["只取最紧急的 {n} 件。", "Only the {n} most urgent are taken."],
  send: ["派遣选中的 {n} 件", "Send for {n}"],
  sent: ["已派遣 {n} 件", "Sent for {n}"],
  nobody: ["无人可派", "nobody"],
  failed: ["求解失败。", "It could not be solved."],
} satisfies Group;
