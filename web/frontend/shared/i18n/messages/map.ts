import type { Group } from "../catalogue";

export const map = {
  label: ["地图", "Map"],
  tools: ["地图工具", "Map tools"],
  zoom_in: ["放大", "Zoom in"],
  zoom_out: ["缩小", "Zoom out"],
  home: ["回到辖区", "Back to the district"],
  no_webgl: ["此浏览器无法显示地图(缺少 WebGL)。队列和办理不受影响。", "This browser cannot draw the map (no WebGL). The queue works without it."],
} satisfies Group;

export const left = {
  title: ["区域、图层与筛选", "Areas, layers and filters"],
  toggle: ["左侧栏", "Left panel"],
} satisfies Group;

export const areas = {
  title: ["区域", "Areas"],
  open: ["在办", "Open"],
  on_duty: ["在岗", "On duty"],
  toggle: ["展开或收起", "Open or close"],
  failed: ["区域列表加载失败。", "The areas could not be loaded."],
  none: ["账号没有任何辖区。请管理员授权后重新登录。", "This account has no area. Ask the administrator for a grant, then log in again."],
} satisfies Group;

export const layers = {
  title: ["图层", "Layers"],
  on: ["已开 {n} 项", "{n} on"],
  incidents: ["事件", "Incidents"],
  units: ["在岗力量", "Units on duty"],
  failed: ["图层加载失败,重试", "Layers failed, try again"],
} satisfies Group;

export const filter = {
  title: ["筛选", "Filter"],
  clear: ["清除筛选", "Clear filters"],
  status: ["状态", "Status"],
  span: ["上报时间", "Reported"],
  any_time: ["不限时间", "Any time"],
  last_hours: ["最近 {n} 小时", "Last {n} h"],
  last_week: ["最近 7 天", "Last 7 days"],
  class: ["类别", "Class"],
  whole_group: ["全部{name}", "All of {name}"],
  export: ["导出", "Export"],
  all_classes: ["全部类别", "All classes"],
} satisfies Group;

export const search = {
  label: ["搜索", "Search"],
  placeholder: ["地址、地标、编号、事件、人员  按 /", "Address, landmark, code, incident, unit: press /"],
  none: ["没有找到。试试路名、小区名或灯杆编号。", "Nothing found. Try a street, an estate or a pole number."],
} satisfies Group;

export const hit = {
  area: ["区域", "Area"],
  place: ["地名", "Place"],
  street: ["道路", "Street"],
  address: ["地址", "Address"],
  building: ["楼栋", "Building"],
  landmark: ["地标", "Landmark"],
  pole: ["杆号", "Pole"],
  camera: ["探头", "Camera"],
  incident: ["事件", "Incident"],
  unit: ["力量", "Unit"],
} satisfies Group;

export const card = {
  title: ["地图对象", "On the map"],
  fix: ["定位", "Position"],
  send_to: ["派往 {number}", "Send to {number}"],
  camera_failed: ["探头信息加载失败", "The camera could not be loaded"],
} satisfies Group;

export const cameras = {
  near: ["{radius}内的探头", "Cameras within {radius}"],
  none_near: ["附近没有探头。", "No camera nearby."],
} satisfies Group;
