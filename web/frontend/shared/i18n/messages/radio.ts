import type { Group } from "../catalogue";

/** Steps that a seat says for a unit, and what it does to a job under way. */
export const radio = {
  menu: ["代报与调度", "By radio, recall, divert"],
  menu_of: ["{unit} 的代报与调度", "Steps and orders for {unit}"],
  marked: ["电台代报", "by radio"],
  accept: ["代报:接单", "By radio: takes it"],
  decline: ["代报:拒单…", "By radio: declines…"],
  depart: ["代报:已出发", "By radio: on the way"],
  arrive: ["代报:已到场", "By radio: on scene"],
  done: ["代报:处置结果…", "By radio: result…"],
  "need-help": ["请求增援…", "Needs help…"],
  "cannot-enter": ["无法进入…", "Cannot get in…"],
  recall: ["召回…", "Recall…"],
  release: ["放行离场…", "Release from the scene…"],
  divert: ["改派到其他事件…", "Divert to another case…"],
  cancel: ["撤回派单…", "Take the offer back…"],
} satisfies Group;

export const radio_about = {
  decline: ["按电台所述代为拒单,经过中会注明。", "Said over the radio; the history says so."],
  done: ["按电台所述代报结果,经过中会注明“电台代报”。", "Said over the radio; the history says so."],
  "need-help": ["现场人手不够时使用,立即发出警报。", "More people are needed: raises an alarm at once."],
  "cannot-enter": ["到了但进不去时使用,立即发出警报。", "There, but not getting in: raises an alarm at once."],
  recall: ["对方手机会立即提示返回,其记录保留。", "Their phone says so at once; the record stays."],
  release: ["不填结果即可离场;其他人继续处置。", "May leave without a result; the others stay on it."],
  divert: ["结束此任务并派往另一事件;两步同时成立,或都不成立。", "Ends this job and offers the other: both or neither."],
} satisfies Group;

export const radio_form = {
  decline_reason: ["拒单原因", "Why"],
  result: ["处置结果", "Result"],
  note: ["说明", "Note"],
  blocked: ["受阻原因", "What is in the way"],
  to: ["改派到", "Divert to"],
  find: ["编号或地址;留空显示在办特急、紧急事件", "Number or address; empty shows severe open cases"],
  assign: ["对方已在电台中答应,无需再在手机上接单", "Agreed over the radio: nothing to accept on the phone"],
  photo_follows: ["照片随后由现场人员补上(手机会提醒)", "A photo follows: their phone asks for it"],
  none: ["没有可改派的事件。输入编号查找。", "Nothing to divert to. Type a number."],
  why_recall: ["已有更近的人", "Somebody closer goes"],
  why_release: ["现场已无需要", "No longer needed there"],
  why_divert: ["更紧急的事件", "Something more urgent"],
  confirm: ["确定", "Confirm"],
  eta: ["预计 {time} 到", "there at {time}"],
  late: ["晚了 {time}", "{time} late"],
} satisfies Group;

/** Where the class asks for a photo and the result came by radio without one. */
export const result_photo = {
  follows: ["照片待补", "photo still to come"],
  none: ["没有现场照片", "no photo from the scene"],
  impossible: ["无法补拍照片", "no photo possible"],
  say_impossible: ["无法补拍…", "No photo possible…"],
  impossible_of: ["{unit} 无法补拍照片", "{unit}: no photo possible"],
  impossible_about: ["不再向对方催要照片;原因写入事件记录和复盘报告。", "Nobody is asked for it any more; the reason goes into the log and the report."],
  added: ["{time} 补充:", "Added {time}:"],
} satisfies Group;

export const ended = {
  because: ["结束原因:{reason}", "Ended: {reason}"],
} satisfies Group;
