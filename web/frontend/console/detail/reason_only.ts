/** Dialogs that ask for nothing but the reason, one per verb. */
import { defineComponent, h, type PropType } from "vue";
import type { IncidentDetail, IncidentVerb, VerbBody } from "@shared/api/incidents";
import { type MessageKey, t } from "@shared/i18n";
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
