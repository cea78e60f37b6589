import type { Group } from "../catalogue";

export const dispatch = {
  title: ["派遣", "Dispatch"],
  divert: ["改派", "Divert"],
  diverted: ["{unit} 已改派,等待接单", "{unit} was diverted and is asked"],
  send: ["派遣", "Send"],
  send_unit: ["派遣 {unit}", "Send {unit}"],
  offered_to: ["已派给 {unit}", "Offered to {unit}"],
  take_back: ["撤回", "Take back"],
  take_back_from: ["撤回对 {unit} 的派遣", "Take the job back from {unit}"],
  undo_reason: ["误派,立即撤回", "Sent by mistake, taken back at once"],
  route: ["路线", "Route"],
  expires_in: ["{time} 后失效", "expires in {time}"],
  expiring: ["即将失效", "expiring"],
  about: ["约 {time}", "about {time}"],
  arrival_seen: ["{time} 系统判定已到场,等待确认", "Arrival seen at {time}, not confirmed yet"],
  declined_because: ["拒单原因:{reason}", "Declined: {reason}"],
  photo: ["现场照片", "Photo from the scene"],
} satisfies Group;

export const dispatch_step = {
  offered: ["派出", "offered"],
  delivered: ["送达", "delivered"],
  seen: ["已读", "seen"],
  accepted: ["接单", "accepted"],
  en_route: ["出发", "left"],
  on_scene: ["到场", "on scene"],
  done: ["反馈", "done"],
} satisfies Group;

export const nearest = {
  title: ["就近力量", "Nearest units"],
  by_road: ["按道路时间", "by road time"],
  by_air: ["按直线距离", "by straight line"],
  no_roads: ["没有道路数据,时间按直线估算。", "No road data: times are straight-line guesses."],
  refresh: ["重新计算", "Ask again"],
  show_route: ["在地图上显示路线", "Draw the route"],
  locate_first: ["先确定位置,才能推荐就近力量。", "Set the place first."],
  busy: ["任务中", "busy"],
  fix_age: ["定位 {age}", "fix {age}"],
  none: ["没有符合条件的在岗力量。可联系相邻片区或值班长。", "No unit on duty fits. Ask the next area or the shift lead."],
  left_out: ["未列入:", "Left out:"],
  unreachable: ["道路不通", "no way by road"],
  off_network: ["离道路太远", "far from any road"],
  no_fix: ["没有定位", "no position"],
} satisfies Group;

export const pick = {
  fastest: ["最快到达", "fastest"],
  own_grid: ["本网格", "own grid"],
  capabilities: ["具备{names}", "has {names}"],
  own_grid_first: ["本网格优先", "own grid first"],
  divert: ["可按规则改派({rule}):现赶往 {left_number},低 {grades} 级{left}", "by rule ({rule}) from {left_number}, {grades} grade(s) lesser{left}"],
  left: [",还需 {time}", ", {time} short of it"],
} satisfies Group;

export const excluded = {
  busy: ["任务中", "busy"],
  off_duty: ["未上岗", "off duty"],
  break: ["休息", "on a break"],
  no_fix: ["无定位", "no position"],
  fix_too_old: ["定位过旧", "old position"],
  lacks_capability: ["缺资质", "lacks the skill"],
  lacks_powers: ["无执法权限", "lacks the powers"],
  lone: ["不得单人出动", "not alone"],
  crew_too_small: ["人手不足", "crew too small"],
  other_jurisdiction: ["不属本辖区", "other jurisdiction"],
  loaded: ["任务已满", "enough to do"],
  resting: ["休整中", "resting"],
} satisfies Group;

export const alarms = {
  title: ["警报", "Alarms"],
  count: ["{n} 条警报", "{n} alarms"],
  show: ["查看", "Show"],
  acknowledge: ["确认", "Acknowledge"],
  none: ["没有未确认的警报。", "No alarm waits."],
  failed: ["警报加载失败。", "The alarms could not be loaded."],
} satisfies Group;

export const alarm_text = {
  offer_unheard: ["{number}:{call_sign} 未接单", "{number}: {call_sign} did not take the offer"],
  dispatch_overdue: ["{number} 仍未派人", "{number}: nobody sent yet"],
  sos: ["{call_sign} 紧急求助", "{call_sign} calls for help"],
  need_help: ["{number}:{call_sign} 请求增援", "{number}: {call_sign} needs more people"],
  entry_blocked: ["{number}:{call_sign} 无法进入现场", "{number}: {call_sign} cannot get in"],
  silence: ["{number}:{call_sign} 未回应安全询问", "{number}: {call_sign} did not answer whether all is well"],
  step_overdue: ["{number}:{call_sign} 步骤超时", "{number}: {call_sign} is late with a step"],
  callout_unmet: ["{number} 呼叫人手未满足(第 {level} 级)", "{number}: not enough people came (level {level})"],
  hand_over_unheard: ["{number} 移交 {agency} 未收到回执", "{number}: {agency} has not acknowledged"],
  plan_step_waits: ["{number} 预案步骤挂起过久", "{number}: a plan step is on hold too long"],
  plan_step_overdue: ["{number} 预案步骤超时", "{number}: a plan step is overdue"],
  handover_unsigned: ["{name} 的交班尚未签收({items} 项)", "Handover of {name} not signed ({items} items)"],
} satisfies Group;

export const cover_alarm = {
  line: ["{name}{where}:{minutes} 分钟内没有空闲{who}({cause})", "{name}{where}: no free {who} within {minutes} min ({cause})"],
  several: ["({names}等 {n} 处)", " ({names} and more, {n} in all)"],
  and: ["、", ", "],
  unstaffed: ["无人在岗", "nobody on duty"],
  away: ["在岗但忙或太远", "on duty, but busy or too far"],
} satisfies Group;

export const loud = {
  title: ["必须处理的警报", "Alarms that must be dealt with"],
  locate: ["定位", "Locate"],
  heard: ["确认已接手", "I take it"],
  more: ["另有 {n} 条", "{n} more"],
  all: ["全部警报", "All alarms"],
} satisfies Group;

export const shortfall = {
  title: ["缺口", "Short of"],
  nobody_has: ["在岗力量中无人具备{names}", "nobody on duty has {names}"],
  holders_barred: ["具备{names}的 {of} 支力量均不可派", "all {of} units with {names} cannot be sent"],
  lacks_partner: ["{of} 支中有 {barred} 支缺少搭档", "{barred} of {of} lack a partner"],
  nobody_on_duty: ["无人在岗", "nobody is on duty"],
  no_way: ["{units} 支力量均无路可达", "no way by road for any of {units} units"],
  all_taken: ["其余力量已派往其他事件", "the others go to other incidents"],
  nobody_passes: ["没有符合条件的力量", "nobody passes the gates"],
} satisfies Group;
