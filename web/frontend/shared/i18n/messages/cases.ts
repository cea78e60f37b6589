import type { Group } from "../catalogue";

export const queue = {
  title: ["待办队列", "Queue"],
  filtered: ["{n} 项筛选", "{n} filters"],
  capped: ["显示前 {shown} 件,共 {total} 件。请按区域或类别筛选。", "Showing {shown} of {total}. Filter by area or class."],
  words_since: ["文字只在 {day} 之后的事件中查找;更早的请先选时间段。", "Words were looked for since {day}. Choose a span for older ones."],
  empty: ["没有待办事件。新事件会自动出现;接到电话时按 N 登记。", "Nothing open. New incidents appear by themselves; press N when a call comes in."],
  none_match: ["没有符合筛选条件的事件。", "No incident matches the filters."],
  failed: ["队列加载失败。", "The queue could not be loaded."],
} satisfies Group;

export const clock = {
  due: ["剩余", "left"],
  overdue: ["超时", "over"],
  waiting: ["已等", "waiting"],
} satisfies Group;

export const due = {
  any: ["时限", "Due"],
  dispatch: ["派遣时限", "Dispatch by"],
  finish: ["办结时限", "Finish by"],
  reported_at: ["上报于 {time}", "Reported {time}"],
} satisfies Group;

export const incident = {
  drill: ["演练", "DRILL"],
  no_place: ["位置不明", "No place given"],
  to_locate: ["待定位", "To locate"],
  no_handler: ["无人受理", "Nobody handles it"],
  mine: ["我受理", "Mine"],
} satisfies Group;

export const urgent = {
  look: ["查看", "Look"],
  more: ["另有 {n} 件特急", "{n} more critical"],
} satisfies Group;

export const detail = {
  title: ["事件详情", "Incident"],
  where: ["地点", "Where"],
  when: ["时间", "When"],
  occurred: ["发生于", "happened"],
  handler: ["受理", "Handled by"],
  outcome: ["结果", "Outcome"],
  show_on_map: ["在地图上显示", "Show on the map"],
  to_locate_hint: ["还没有坐标。用 ⋮ 中的“改位置”在地图上点选。", "No coordinates yet. Use “Move the pin” under ⋮."],
  reports: ["报告", "Reports"],
  no_text: ["没有文字说明", "No text given"],
  timeline: ["经过", "History"],
  note: ["补充说明", "Add a note"],
  add_note: ["添加", "Add"],
  show_contact: ["查看联系人", "Show contact"],
  contact_logged: ["查看联系人会记入审计,并写入事件经过。", "Looking at the contact is audited and stands in the history."],
} satisfies Group;

export const timeline = {
  system: ["系统", "System"],
  from: ["原 {value}", "from {value}"],
  class_key: ["改为 {value}", "now {value}"],
  of: ["与 {value} 重复", "same as {value}"],
  reason: ["原因:{value}", "reason: {value}"],
  number: ["{value}", "{value}"],
  distance_m: ["{value}", "{value}"],
  seconds: ["预计 {value}", "about {value}"],
  to: ["改派到 {value}", "to {value}"],
  rule: ["按规则改派:{value}", "by rule: {value}"],
  left_number: ["离开 {value}", "leaves {value}"],
  grades: ["高 {value} 级", "{value} grade(s) more severe"],
  waited_s: ["挂起了 {value}", "was on hold for {value}"],
  pause: ["{value}", "{value}"],
  remaining_s: ["原任务还需 {value}", "{value} short of its first place"],
  told_later: ["手机无网络时按下,{at} 收到", "tapped without a line, received {at}"],
} satisfies Group;

export const change = {
  line: ["{what}:{from} → {to}", "{what}: {from} → {to}"],
  status: ["状态", "Status"],
  handler: ["受理", "Handler"],
  class: ["类别", "Class"],
  severity: ["等级", "Severity"],
  address: ["地址", "Address"],
  moved: ["位置已改", "the pin moved"],
  other: ["内容已更新", "it was updated"],
} satisfies Group;

export const action = {
  more: ["更多操作", "More actions"],
  handle: ["受理", "Take it"],
  take_over: ["接管", "Take over"],
  dispatch_best: ["派遣 {unit} · {time}", "Send {unit} · {time}"],
  dispatch_none: ["没有可派的人", "Nobody to send"],
  wait: ["已派出,等待处置", "Sent, in progress"],
  verify: ["核查结案", "Verify and close"],
  close: ["结案", "Close"],
  return: ["退回", "Return"],
  reclassify: ["改类别", "Re-class"],
  move: ["改位置", "Move the pin"],
  duplicate: ["标为重复", "Link as duplicate"],
  void: ["作废", "Void"],
  reopen: ["重新打开", "Reopen"],
  none: ["无需操作", "Nothing to do"],
} satisfies Group;

export const action_about = {
  take_over: ["现由 {handler} 受理。接管后由您负责,对方会看到原因。", "{handler} handles it now. You will be responsible, and they see the reason."],
  void: ["作废后事件结束,可由值班长重新打开。", "Ends the incident; a shift lead can reopen it."],
  return: ["退回给处置人员继续办理。", "Goes back for more work."],
  reopen: ["经过会完整保留。", "The history stays."],
  move: ["拖动图钉、点击地图或搜索地址。", "Drag the pin, click the map or search an address."],
  duplicate: ["本事件以“重复”结案并指向所选事件;报告留在原处,两边的经过互相注明。", "Closes this one and points to the chosen one; its reports stay here, and both histories say so."],
  verify: ["核实现场结果后结案。", "Close after checking what was done."],
} satisfies Group;

export const duplicate = {
  find: ["与哪一件相同", "The same as"],
  placeholder: ["编号或地址;留空显示附近事件", "Number or address; empty shows what is near"],
  none: ["附近没有在办事件,请输入编号查找。", "Nothing open nearby. Type a number."],
} satisfies Group;

export const move = {
  not_moved_yet: ["还没有新的位置", "No new place yet"],
} satisfies Group;

export const verify = {
  ground: ["结案依据(未经处置直接结案必填)", "On what ground (needed: nobody was sent)"],
  note: ["核查说明(可不填)", "What was checked (optional)"],
} satisfies Group;

export const reason = {
  label: ["原因", "Reason"],
  call_back: ["回访报告人", "Calling the reporter back"],
  find_place: ["核实地点", "Finding the place"],
  shift_change: ["交接班", "Shift change"],
  owner_away: ["受理人离席", "The handler is away"],
  test_call: ["测试来电", "Test call"],
  entered_by_mistake: ["误登记", "Entered by mistake"],
  false_alarm: ["误报", "False alarm"],
  not_solved: ["问题未解决", "Not solved"],
  photo_unclear: ["照片看不清", "The photo is unclear"],
  wrong_place: ["地点不符", "The wrong place"],
  came_back: ["问题再次出现", "It came back"],
  closed_by_mistake: ["误结案", "Closed by mistake"],
  learned_more: ["了解到新情况", "More is known now"],
  wrong_class: ["登记类别有误", "Wrong class at entry"],
  same_event: ["同一事件", "The same event"],
  closer_unit: ["有更近的人", "Somebody is closer"],
  wrong_unit: ["派错人", "The wrong unit"],
} satisfies Group;
