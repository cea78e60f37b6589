import type { Group } from "../catalogue";

/** What seats do among each other: shift handover and major events. */
export const handover = {
  title: ["交接班", "Shift handover"],
  waiting: ["{n} 份交班待签收", "{n} handovers to sign"],
  about: ["列出您名下和无人负责的全部未结事项;由另一位坐席签收后生效。", "Lists everything open that is yours or nobody's; another person signs for it."],
  mine: ["我的交班", "Hand over my seat"],
  start: ["发起交班", "Start the handover"],
  started: ["交班已发起,等待接班人签收", "Started: waiting for the next seat to sign"],
  items: ["{n} 项未结", "{n} open items"],
  nothing: ["没有未结事项。仍可发起交班,留下书面记录。", "Nothing is open. You may still hand over, for the record."],
  note: ["交班说明(重点、注意事项)", "Note for the next seat"],
  to_sign: ["待我签收", "Waiting for my signature"],
  none_to_sign: ["没有等待签收的交班。", "No handover waits."],
  sign: ["签收接班", "Sign and take over"],
  sign_sure: ["签收后 {n} 项事项全部由您负责,不能撤销。", "All {n} items become yours; this cannot be undone."],
  signed: ["已签收,{n} 项由您负责", "Signed: {n} items are yours"],
  wait: ["等待接班人签收", "Waiting to be signed"],
  withdraw: ["撤回交班", "Stay after all"],
  history: ["最近的交接", "Recent handovers"],
  line: ["{from} → {to}", "{from} → {to}"],
  nobody: ["无人负责", "nobody's"],
  failed: ["交接班数据加载失败。", "The handovers could not be loaded."],
} satisfies Group;

export const open_kind = {
  incident: ["事件", "Case"],
  alarm: ["警报", "Alarm"],
  closure: ["封闭", "Closure"],
  callout: ["呼叫", "Call-out"],
  task: ["任务", "Task"],
} satisfies Group;

export const major = {
  title: ["重大事件", "Major events"],
  one: ["重大事件", "Major event"],
  none: ["没有重大事件。多起事件同属一个起因时,在任一事件的 ⋮ 中选“并入重大事件”。", "No major event. When cases share a cause, choose “Group under a major event” under ⋮ of any of them."],
  join: ["并入重大事件", "Group under a major event"],
  join_about: ["事件各自保留经过,在重大事件下一并查看。", "Each case keeps its history; together they are seen under one name."],
  existing: ["并入已有的", "An open one"],
  fresh: ["新建,名称", "A new one, named"],
  name_hint: ["例如:7·21 暴雨内涝", "e.g. Flood of 21 July"],
  members: ["{open}/{n} 件在办", "{open} of {n} open"],
  remove: ["移出", "Take out"],
  remove_reason: ["与该重大事件无关", "Does not belong to it"],
  close: ["结束重大事件", "Close the major event"],
  close_about: ["全部成员结案后才能结束。结束后不能再并入。", "Only when every member is closed; nothing can be added afterwards."],
  note: ["总结(可不填)", "Summary (optional)"],
  joined: ["已并入 {name}", "Grouped under {name}"],
  failed: ["重大事件加载失败。", "The major events could not be loaded."],
} satisfies Group;

export const pinned = {
  title: ["特急未处置", "Critical, waiting"],
  more: ["另有 {n} 件特急", "{n} more critical"],
} satisfies Group;

export const drag = {
  to_incident: ["拖到事件上派遣", "Drop on a case to send"],
  to_unit: ["拖到人员上派遣", "Drop on a unit to send"],
  send: ["派遣 {unit} → {number}", "Send {unit} → {number}"],
  ask: ["确认派遣", "Send?"],
  gates: ["不符合派遣条件", "Past the gates"],
  gates_about: ["以下条件不满足。值班长可说明理由放行,理由写入经过。", "These are not met. A shift lead may send all the same, with a reason that stands in the history."],
  lead_only: ["只有值班长可以放行。请联系值班长,或另选力量。", "Only a shift lead may override. Call one, or choose somebody else."],
  override: ["仍然派遣", "Send all the same"],
  override_reason: ["放行理由", "Why all the same"],
} satisfies Group;
