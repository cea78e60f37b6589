import type { Group } from "../catalogue";

export const wall = {
  title: ["大屏", "Wall"],
  open: ["大屏模式", "Wall mode"],
  leave: ["返回指挥台 (Esc)", "Back to the console (Esc)"],
  in_hand: ["在办事件", "Open incidents"],
  overdue: ["超时 {n}", "{n} overdue"],
  units: ["在岗力量", "Units on duty"],
  alarms: ["未确认警报", "Alarms waiting"],
  no_alarms: ["无", "None"],
  day: ["近 24 小时", "Last 24 h"],
  reported: ["上报", "Reported"],
  closed: ["办结", "Closed"],
  areas: ["各街道(乡镇)在办", "Open by township"],
  quiet: ["当前没有在办事件", "Nothing open now"],
  stale: ["数据已 {age} 未更新", "Not updated for {age}"],
} satisfies Group;

export const not_yours = {
  title: ["这里不是您的工作页面", "This page is not for your role"],
  about: ["您的账号没有查看事件的权限。请进入自己的页面,或联系管理员授权。", "Your account may not see incidents. Go to your own page, or ask an administrator."],
} satisfies Group;
