import type { Group } from "../catalogue";

export const report = {
  new: ["登记", "Report"],
  class: ["类别", "Class"],
  class_placeholder: ["代码、拼音首字母或名称", "Code, pinyin initials or name"],
  class_none: ["没有这个类别。可选“其他事项”(qtsx)。", "No such class. Use “Something else” (qtsx)."],
  restricted: ["受限类别:只有受理和处置人员能看到位置。", "Restricted class: only those assigned see the place."],
  severity: ["等级", "Severity"],
  text: ["情况", "What happened"],
  text_placeholder: ["谁、什么事、现在怎样", "Who, what, how it is now"],
  phone: ["回拨电话", "Call-back number"],
  caller: ["报告人", "Caller"],
  channel: ["来源", "Channel"],
  occurred: ["发生时间", "Happened"],
  now: ["现在", "Now"],
  click_map: ["也可以直接点击地图定位", "Or click the map"],
  pinned: ["已定位 {at}(可拖动图钉)", "Pinned at {at} (drag to adjust)"],
  need_class: ["请选择类别", "Choose a class"],
  need_place: ["请填写地址或点击地图", "Give an address or click the map"],
  drill: ["演练", "Drill"],
  drill_about: ["保存后不能改为真实事件", "can never become a real case"],
  save: ["保存", "Save"],
  save_join: ["并入所选事件", "Join the chosen incident"],
  saved: ["已登记 {number}", "Saved as {number}"],
  joined: ["已并入 {number}", "Joined {number}"],
  known: ["该来源编号已登记过:{number}", "This source number is already known: {number}"],
  discard: ["清空", "Discard"],
  discarded: ["草稿已清空", "Draft discarded"],
  draft_restored: ["已恢复未提交的草稿。", "Your unsent draft is back."],
  close_keeps: ["关闭(草稿保留,Esc)", "Close (the draft stays, Esc)"],
  unsent: ["服务器没有应答,报告还没有送出。草稿已保存在本机,连接恢复后按 Ctrl+Enter 再次提交。", "The server does not answer: NOT sent. The draft is kept here; press Ctrl+Enter when the connection is back."],
} satisfies Group;

export const place = {
  label: ["地点", "Place"],
  placeholder: ["门牌、小区、地标或灯杆编号", "Address, estate, landmark or pole number"],
  none: ["没有找到。可直接点击地图,地址按原文保存。", "Not found. Click the map; the text is kept as typed."],
  failed: ["搜索没有应答", "Search does not answer"],
} satisfies Group;

export const same = {
  title: ["附近已有在办事件,是同一件吗?", "Open nearby: is it the same?"],
  about: ["选中后本报告并入该事件,不另立案。", "Choosing one joins this report to it."],
  none: ["都不是,另立新事件", "None of these, a new incident"],
} satisfies Group;
