import type { Group } from "../catalogue";

export const patrol = {
  title: ["外勤", "Field"],
  no_unit: ["此账号没有绑定巡逻单元。请联系管理员。", "No unit is bound to this account. Ask an administrator."],
  map: ["任务地图", "Job map"],
  off_duty: ["未上岗", "Off duty"],
  on_duty: ["在岗", "On duty"],
  on_break: ["休息中", "On a break"],
  since: ["{time} 起", "since {time}"],
  start_duty: ["上岗", "Start duty"],
  stop_duty: ["下岗", "End duty"],
  break: ["休息", "Break"],
  resume: ["结束休息", "Back to work"],
  off_about: ["未上岗时不采集、不发送位置。", "Off duty, no position is taken and none is sent."],
  stop_confirm: ["下岗后不再接单,也不再发送位置。确定下岗?", "Off duty you get no offers and send no position. End duty?"],
  waiting_for_jobs: ["待命中,有任务会响铃并震动。", "Ready. A new job rings and shakes."],
  screen_off: ["锁屏后本页不响铃,也不发送位置。执勤时请保持屏幕常亮。", "A locked phone neither rings nor sends its place. Keep the screen on while on duty."],
  more: ["更多", "More"],
} satisfies Group;

export const offer = {
  title: ["新任务", "New job"],
  about: ["接单后可见具体地址和内容", "Address and details show once you accept"],
  area: ["{area} 附近 {radius} 米", "{area}, within {radius} m"],
  near: ["圆圈内 {radius} 米", "within the {radius} m circle"],
  minutes: ["约 {time}", "about {time}"],
  accept: ["接单", "Accept"],
  decline: ["拒绝", "Decline"],
  why_decline: ["为什么拒绝?", "Why not?"],
  left: ["剩余 {time}", "{time} left"],
} satisfies Group;

export const job = {
  depart: ["出发", "On my way"],
  arrive: ["我已到场", "I am there"],
  arrival_seen: ["系统判定你已到场", "The system sees you there"],
  confirm_arrival: ["确认到场", "Yes, on scene"],
  not_yet: ["还没到", "Not yet"],
  undo_arrival: ["还没到,撤销", "Not there yet, undo"],
  result: ["现场结果", "Result"],
  note: ["情况说明", "What was done"],
  note_hint: ["简单写明处置情况(可不填)", "A few words (optional)"],
  photo: ["拍照", "Take a photo"],
  photo_needed: ["此类事件须拍现场照片。", "This class needs a photo from the scene."],
  remove_photo: ["删除照片 {n}", "Remove photo {n}"],
  send_result: ["提交结果", "Send the result"],
  choose_result: ["先选择结果", "Choose a result first"],
  no_address: ["未填地址", "no address"],
  step_1: ["第 1 步:出发", "Step 1: set off"],
  step_2: ["第 2 步:到场", "Step 2: arrive"],
  step_3: ["第 3 步:反馈结果", "Step 3: report the result"],
  bad_photo: ["这张照片无法读取,请重拍。", "This photo cannot be read. Take another."],
} satisfies Group;

export const field_report = {
  open: ["上报", "Report"],
  title: ["上报新事件", "Report something"],
  choose: ["选一个类别就会按当前位置上报", "Choose a class: it is sent with your position"],
  details: ["补充说明(可不填)", "Details (optional)"],
  send: ["上报", "Send"],
  here: ["当前位置 ±{accuracy}", "your position ±{accuracy}"],
  no_place: ["没有定位,将由坐席确定位置", "No position: the desk will set the place"],
  filed: ["已记下,正在发送", "Noted, on its way"],
  back: ["返回", "Back"],
} satisfies Group;

export const day = {
  title: ["我的一天", "My day"],
  none: ["今天还没有办结的任务。", "No job finished today yet."],
} satisfies Group;

export const strip = {
  heard: ["位置已送达 {age}", "Position heard {age}"],
  not_heard: ["位置尚未送达", "Position not heard yet"],
  denied: ["没有定位权限:请在浏览器设置中允许", "Location is not allowed: allow it in the browser's settings"],
  unavailable: ["手机暂时没有定位", "The phone has no position now"],
  offline: ["没有网络,操作已保存,联网后自动发送", "No network: what you do is kept and sent later"],
  waiting: ["{n} 项待发送", "{n} to send"],
  all_sent: ["全部已发送", "All sent"],
  refused: ["{n} 项被退回,请处理", "{n} refused: please look"],
} satisfies Group;

export const queue_item = {
  title: ["待处理", "To look at"],
  accept: ["接单", "Accept"],
  decline: ["拒绝", "Decline"],
  depart: ["出发", "On my way"],
  arrive: ["到场", "Arrival"],
  "arrive-undo": ["撤销到场", "Undo arrival"],
  result: ["提交结果", "Result"],
  report: ["上报", "Report"],
  duty: ["上下岗", "Duty"],
  again: ["再试一次", "Try again"],
  drop: ["不再发送", "Do not send"],
} satisfies Group;
