import { get } from "./client";
import type { Candidate } from "./dispatches";

/** One incident of a joint answer; without a unit the code `why` says what is short. */
export interface Going {
  incident_id: string;
  unit: Candidate | null;
  why: string | null;
}

/** Seconds are an incident's average; the gain is over sending one by one. */
export interface Joint {
  method: "road" | "straight_line";
  why: string | null;
  items: Going[];
  seconds: number;
  one_by_one_seconds: number;
  gain_s: number;
  gain_weighted_s: number;
  one_by_one_unmet: number;
}

/** The most incidents that are solved together. */
export const MOST_TOGETHER = 20;
export const recommendJointly = (incidents: string[]) => get<Joint>("/api/recommendations", { incidents });
