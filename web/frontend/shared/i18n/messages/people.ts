import type { Group } from "../catalogue";

export const login = {
  title: ["登录", "Log in"],
  name: ["账号", "Account"],
  password: ["密码", "Password"],
  enter: ["登录", "Log in"],
  forgot: ["忘记密码请联系本单位管理员重置。", "Forgot the password? Ask your administrator for a reset."],
  wait: ["尝试次数过多,请 {minutes} 分钟后再试。", "Too many attempts. Try again in {minutes} min."],
  reset_done: ["新密码已设置,请登录。", "The new password is set. Please log in."],
} satisfies Group;

export const account = {
  everywhere: ["全部区域", "everywhere"],
  phone_page: ["移动端页面", "Phone page"],
  admin_page: ["系统管理", "Administration"],
  sessions: ["登录设备", "Sessions"],
  sessions_about: ["不认识的设备请立即下线,并修改密码。", "End any session you do not know, then change the password."],
  this_one: ["本机", "this one"],
  seen: ["最近活动", "seen"],
  since: ["登录于", "since"],
  end: ["下线", "End"],
  unknown_browser: ["未知浏览器", "Unknown browser"],
  password: ["修改密码", "Change password"],
  password_about: ["至少 {n} 个字符;一句好记的话比符号更安全。", "At least {n} characters; a sentence you remember beats symbols."],
  current: ["当前密码", "Current password"],
  new: ["新密码", "New password"],
  again: ["再输一遍新密码", "New password again"],
  differ: ["两次输入不一致", "The two differ"],
  save_password: ["保存新密码", "Save the new password"],
  password_changed: ["密码已修改", "Password changed"],
  change_first: ["首次登录请先设置自己的密码。", "Set a password of your own before you go on."],
  sign_out: ["退出登录", "Log out"],
} satisfies Group;
