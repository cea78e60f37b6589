/** Who is nearest, asked again every 20 s while it is on the screen: people move. */
import { useQuery } from "@tanstack/vue-query";
import { computed } from "vue";
import { recommend } from "@shared/api/dispatches";
import { can } from "@shared/auth/session";
import type { IncidentDetail } from "@shared/api/incidents";

export function useRecommendation(incident: () => IncidentDetail) {
  return useQuery({
    queryKey: computed(() => ["recommendation", incident().id, incident().lon, incident().lat, incident().dispatches_open]),
    queryFn: () => recommend(incident().id),
    enabled: computed(() => can("case.dispatch") && incident().located && ["open", "returned", "assigned"].includes(incident().status)),
    // The list that was there stays until the new one is, but never that of another case.
    placeholderData: (before, query) => (query?.queryKey[1] === incident().id ? before : undefined),
    refetchInterval: 20_000,
    staleTime: 5_000,
  });
}
