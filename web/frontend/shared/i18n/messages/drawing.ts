import type { Group } from "../catalogue";

export const draw = {
  undo: ["撤销 (Ctrl+Z)", "Undo (Ctrl+Z)"],
  redo: ["重做 (Ctrl+Y)", "Redo (Ctrl+Y)"],
  finish: ["完成绘制 (Enter)", "Finish (Enter)"],
  drop: ["放弃绘制", "Drop it"],
  line: ["画线", "Line"],
  area: ["画面", "Area"],
  capped: ["只列出前 {n} 个。", "Only the first {n} are listed."],
  hint: ["点击地图逐点绘制,拖动圆点调整;双击或 Enter 完成,Esc 放弃。键盘:方向键移动地图,空格在中心落点。", "Click for corners, drag them to adjust; double-click or Enter finishes, Esc drops. By keyboard: arrows move the map, Space sets a corner at its middle."],
  too_few: ["点数不够", "Not enough corners yet"],
  crosses_itself: ["边线自相交,请拖开", "The outline crosses itself: drag it apart"],
  corners: ["{n} 个点", "{n} corners"],
} satisfies Group;

export const closing = {
  title: ["道路封闭", "Road closures"],
  new: ["新增封闭", "Close a road"],
  reason: ["原因", "Why"],
  note: ["说明", "Note"],
  modes: ["禁行对象(不选为全部)", "For whom (none: everybody)"],
  from: ["开始(不填为立即)", "From (empty: now)"],
  until: ["结束(不填为人工解除)", "Until (empty: until ended by hand)"],
  save: ["封闭道路", "Close the road"],
  saved: ["已封闭,路线和推荐立即按此计算", "Closed: routes and rankings know it at once"],
  end: ["解除", "Open again"],
  end_about: ["解除后路线立即恢复通行,不能撤销,只能重新封闭。", "Routes use it again at once; undoing means closing it anew."],
  why_over: ["已恢复通行", "Passable again"],
  why_wrong: ["误设", "Set by mistake"],
  none: ["没有封闭的道路。遇施工、积水、警戒时在此画出,派遣路线会自动绕行。", "No road is closed. Draw works, floods and cordons here: routes go around them."],
  planned: ["未开始", "planned"],
  closed: ["封闭中", "closed"],
  over: ["已结束", "over"],
  until_short: ["至 {time}", "until {time}"],
  by_hand: ["人工解除", "until ended by hand"],
  failed: ["封闭列表加载失败。", "The closures could not be loaded."],
} satisfies Group;
