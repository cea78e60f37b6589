/** On duty, off duty, on a break: from the tap on, whether or not the server has heard of it. */
import type { DutyAction } from "@shared/api/patrol";
import { enqueue } from "./queue";
import { unlockSound } from "./ringing";

export async function changeDuty(action: DutyAction, reason?: string): Promise<void> {
  void unlockSound();
  // Asked for where it can be granted without a question: what is not sent yet must survive a full disk.
  if (action === "start") void navigator.storage?.persist?.();
  await enqueue({ kind: "duty", action, ...(reason ? { reason } : {}) });
}
