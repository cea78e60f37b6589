/** Dialogs that ask for nothing but the reason, one per verb. */
import { defineComponent, h, type PropType } from "vue";
import type { IncidentDetail, IncidentVerb, VerbBody } from "@shared/api/incidents";
import { type MessageKey, t } from "@shared/i18n";
import { showError } from "@shared/ui/errors";
import { act } from "./actions";
import ReasonDialog from "./ReasonDialog.vue";

type Named = "take_over" | "void" | "return" | "reopen";

export function reasonDialog(verb: IncidentVerb, name: Named, suggestions: MessageKey[], body: VerbBody = {}, danger = false) {
  return defineComponent({
    props: { incident: { type: Object as PropType<IncidentDetail>, required: true } },
    emits: ["close"],
    setup(props, { emit }) {
      async function confirm(reason: string): Promise<void> {
        if (await act(props.incident, verb, { ...body, reason })) emit("close");
      }
      return () =>
        h(ReasonDialog, {
          title: `${t(`action.${name}`)} ${props.incident.number}`,
          description: t(`action_about.${name}`, { handler: props.incident.handler?.name ?? "" }),
          confirm: t(`action.${name}`),
          suggestions: suggestions.map((key) => t(key)),
          danger,
          onClose: () => emit("close"),
          onConfirm: confirm,
        });
    },
  });
}

/** A look that is written down: no verb on the case, only what is done with the reason. */
export function lookDialog(title: MessageKey, about: MessageKey, look: (incident: IncidentDetail, reason: string) => Promise<void> | void) {
  return defineComponent({
    props: { incident: { type: Object as PropType<IncidentDetail>, required: true } },
    emits: ["close"],
    setup(props, { emit }) {
      async function confirm(reason: string): Promise<void> {
        try {
          await look(props.incident, reason);
          emit("close");
        } catch (error) {
          showError(error);
        }
      }
      return () =>
        h(ReasonDialog, {
          title: `${t(title).replace("…", "")} ${props.incident.number}`,
          description: t(about),
          confirm: t(title).replace("…", ""),
          suggestions: [t("replaying.why_review"), t("replaying.why_complaint")],
          onClose: () => emit("close"),
          onConfirm: confirm,
        });
    },
  });
}
