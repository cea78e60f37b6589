import type { Group } from "../catalogue";

/** Replay, cover, fences and rosters at the console. */
export const replaying = {
  title: ["回放", "Replay"],
  open: ["在地图上回放…", "Replay on the map…"],
  about: ["将显示处置人员的行进轨迹。查看理由会写入审计。", "Shows where people went. The reason is audited."],
  report: ["复盘报告…", "After-action report…"],
  report_about: ["一个网页文件,含轨迹与时间。查看理由会写入审计。", "One HTML file with ways and times. The reason is audited."],
  why_review: ["复盘", "Review"],
  why_complaint: ["投诉核查", "Looking into a complaint"],
  play: ["播放", "Play"],
  pause: ["暂停", "Pause"],
  speed: ["{n} 倍速", "{n}x"],
  slider: ["时间", "Time"],
  close: ["结束回放", "End the replay"],
  no_ways: ["没有可回放的轨迹(无人接单,或已过保存期)。", "No way to show: nobody took it, or it is past its time."],
} satisfies Group;

export const covering = {
  title: ["力量覆盖", "Cover"],
  gaps: ["{n} 处空白", "{n} gaps"],
  none: ["各区域均有可及时到达的力量。", "Somebody free is in time everywhere."],
  not_judged: ["尚未计算,后台服务启动后每 15 秒更新。", "Not judged yet; the worker does so every 15 s."],
  failed: ["覆盖数据加载失败。", "Cover could not be loaded."],
  line: ["{name} · {minutes} 分钟", "{name} · {minutes} min"],
  share: ["可及 {n}%", "{n}% in reach"],
  since: ["空白 {time}", "gap for {time}"],
  move_up: ["建议 {unit} 前移,约 {time}", "move {unit} up, about {time}"],
  nobody: ["附近没有可前移的力量", "nobody could move up"],
  rings: ["1-3-5 分钟圈", "1-3-5 minute rings"],
  hide: ["隐藏圈", "Hide the rings"],
  minutes: ["{n} 分钟", "{n} min"],
} satisfies Group;

export const fencing = {
  title: ["围栏", "Fences"],
  new: ["新建围栏", "Draw a fence"],
  name: ["名称", "Name"],
  name_hint: ["例如:体育场外围", "e.g. around the stadium"],
  width: ["走廊半宽(米)", "Half the corridor's width (m)"],
  dwell: ["停留多久算停留事件(分钟,不填不判)", "Minutes that count as staying (empty: not watched)"],
  until: ["到期(不填为长期)", "Until (empty: no end)"],
  hours: ["每日生效时段(不填为全天)", "Hours of the day (empty: all day)"],
  save: ["建立围栏", "Make the fence"],
  saved: ["围栏已生效", "The fence counts now"],
  end: ["停用", "End"],
  end_about: ["停用后不再产生进出事件,记录保留。", "No more events from it; the records stay."],
  why_over: ["任务结束", "The task is over"],
  none: ["没有围栏。大型活动、封控、重点巡查区可在此画出,进出自动记录。", "No fence. Draw events, cordons and places to watch: coming and going is noted."],
  failed: ["围栏加载失败。", "The fences could not be loaded."],
  capped: ["只列出前 {n} 个。", "Only the first {n} are listed."],
} satisfies Group;

export const roster = {
  title: ["今日班表", "Today's roster"],
  none: ["今天没有排班。值班长可通过接口导入或由下级单位上报。", "No roster for today."],
  failed: ["班表加载失败。", "The roster could not be loaded."],
  unit: ["力量", "Unit"],
  when: ["时段", "When"],
  who: ["人员", "Who"],
  vehicle: ["车辆", "Vehicle"],
  partner: ["搭档", "Partner"],
  now: ["现在", "now"],
  off: ["应在岗未上岗", "due, not on duty"],
  duty: ["值班", "duty"],
  leave: ["请假", "leave"],
  swap: ["换班", "swap"],
  filter: ["按力量或人员查找", "Find a unit or a person"],
} satisfies Group;
