import type { Component } from "vue";
import DuplicateDialog from "./DuplicateDialog.vue";
import MajorDialog from "./MajorDialog.vue";
import MoveDialog from "./MoveDialog.vue";
import ReclassifyDialog from "./ReclassifyDialog.vue";
import VerifyDialog from "./VerifyDialog.vue";
import { afterActionUrl } from "@shared/api/replay";
import { locale } from "@shared/i18n";
import { startReplay } from "../state/replay";
import { lookDialog, reasonDialog } from "./reason_only";

export type DialogName = "take_over" | "reclassify" | "move" | "duplicate" | "verify" | "void" | "return" | "reopen" | "major" | "replay" | "report";

export const DIALOGS: Record<DialogName, Component> = {
  take_over: reasonDialog("handle", "take_over", ["reason.shift_change", "reason.owner_away"], { take_over: true }),
  reclassify: ReclassifyDialog,
  move: MoveDialog,
  duplicate: DuplicateDialog,
  verify: VerifyDialog,
  major: MajorDialog,
  replay: lookDialog("replaying.open", "replaying.about", (incident, reason) => startReplay(incident.id, reason)),
  report: lookDialog("replaying.report", "replaying.report_about", (incident, reason) => location.assign(afterActionUrl(incident.id, reason, locale.value))),
  void: reasonDialog("void", "void", ["reason.test_call", "reason.entered_by_mistake", "reason.false_alarm"], {}, true),
  return: reasonDialog("return", "return", ["reason.not_solved", "reason.photo_unclear", "reason.wrong_place"]),
  reopen: reasonDialog("reopen", "reopen", ["reason.came_back", "reason.closed_by_mistake"]),
};
