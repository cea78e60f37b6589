import type { Group } from "../catalogue";

export const app = {
  title: ["网格化公共安全管理平台", "Grid-based public safety platform"],
  console: ["指挥台", "Console"],
  demo: ["演示数据", "Demo data"],
  demo_about: ["本站为虚构的演示区,数据均由程序生成", "A fictional demo district; all data is generated"],
  language: ["切换语言 (L)", "Switch language (L)"],
  other_language: ["English", "中文"],
  theme: ["深色 / 浅色", "Dark / light"],
} satisfies Group;

export const common = {
  loading: ["正在加载…", "Loading…"],
  retry: ["重试", "Try again"],
  close: ["关闭", "Close"],
  cancel: ["取消", "Cancel"],
  undo: ["撤销", "Undo"],
  dismiss: ["知道了", "Dismiss"],
} satisfies Group;

export const time = {
  just_now: ["刚刚", "just now"],
  seconds_ago: ["{n} 秒前", "{n} s ago"],
  minutes_ago: ["{n} 分钟前", "{n} min ago"],
  hours_ago: ["{n} 小时前", "{n} h ago"],
  today_at: ["今天 {time}", "today {time}"],
  yesterday_at: ["昨天 {time}", "yesterday {time}"],
  days: ["{n} 天", "{n} days"],
  n_seconds: ["{n} 秒", "{n} s"],
  n_minutes: ["{n} 分钟", "{n} min"],
  n_hours: ["{n} 小时", "{n} h"],
} satisfies Group;

export const unit = {
  metres: ["{n} 米", "{n} m"],
  kilometres: ["{n} 公里", "{n} km"],
} satisfies Group;

export const connection = {
  live: ["实时", "Live"],
  live_about: ["与服务器连接正常,变化立即显示", "Connected: changes show at once"],
  connecting: ["连接中", "Connecting"],
  reconnecting: ["重新连接", "Reconnecting"],
  offline: ["已断开,画面不再更新", "Offline, not updating"],
  signed_out: ["登录已失效,请重新登录", "Signed out: log in again"],
  retry: ["立即重试", "Try now"],
  no_server_yet: ["服务器暂时没有应答,页面会自动继续尝试。", "The server does not answer yet; this page keeps trying."],
} satisfies Group;

export const sound = {
  mute: ["静音", "Mute"],
  on: ["声音已开 (M)", "Sound on (M)"],
  off: ["已静音 (M)", "Muted (M)"],
  blocked: ["点击页面任意处后才能发声", "Click anywhere once so that the browser allows sound"],
} satisfies Group;

export const help = {
  title: ["快捷键", "Keys"],
  new_report: ["登记新报告", "New report"],
  step: ["队列中下一件 / 上一件", "Next / previous in the queue"],
  primary: ["执行主按钮", "Press the primary button"],
  search: ["搜索", "Search"],
  close: ["关闭、返回", "Close, go back"],
  save: ["保存表单", "Save the form"],
  mute: ["声音开关", "Sound on or off"],
  left: ["左侧栏开关", "Left panel on or off"],
  language: ["切换语言", "Switch language"],
  help: ["显示本页", "Show this list"],
} satisfies Group;

export const tabs = {
  map: ["地图", "Map"],
  areas: ["区域筛选", "Areas, filters"],
} satisfies Group;
