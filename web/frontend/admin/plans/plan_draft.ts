/** A plan while it is written: the form's own rows, and the way from and to the plan's data. Pure. */

/** What a number field holds while it is empty. */
export type Figure = number | "" | null;

/** `who`: "" is anybody, "k:…" a kind of unit, "c:…" a capability. */
export interface PlaceDraft {
  id: number;
  who: string;
  count: Figure;
}

export interface LevelDraft {
  id: number;
  mode: string;
  need: PlaceDraft[];
  fence: string;
  value: Figure;
  travel: string;
  offer_s: Figure;
  deliver_s: Figure;
  level_s: Figure;
  undelivered: string;
  own_grid_first: boolean;
  flat: boolean;
  mutual_aid: boolean;
  ask_again: boolean;
}

export interface StepDraft {
  id: number;
  key: string;
  zh: string;
  en: string;
  due_min: Figure;
  calendar: string;
}

export interface PlanDraft {
  key: string;
  zh: string;
  en: string;
  classes: string[];
  severities: number[];
  auto: number[];
  tell: string[];
  levels: LevelDraft[];
  steps: StepDraft[];
  retired: boolean;
}

export type PlanBody = Record<string, unknown>;
type Row = Record<string, unknown>;

export const LEVEL_FLAGS = ["own_grid_first", "flat", "mutual_aid", "ask_again"] as const;
const ALL_DAY = "round_the_clock";
const SEVERITIES = [1, 2, 3, 4];
const START_TIMES = { offer_s: 45, deliver_s: 15, level_s: 180 };

let lastId = 0;
const nextId = () => ++lastId;

export const emptyPlace = (): PlaceDraft => ({ id: nextId(), who: "", count: 1 });
export const emptyLevel = (): LevelDraft => ({
  id: nextId(), mode: "next_in_line", need: [], fence: "", value: null, travel: "car", ...START_TIMES,
  undelivered: "next", own_grid_first: false, flat: false, mutual_aid: false, ask_again: false,
});
export const emptyPlan = (): PlanDraft => ({
  key: "", zh: "", en: "", classes: [], severities: [...SEVERITIES], auto: [], tell: [], levels: [{ ...emptyLevel(), need: [emptyPlace()] }], steps: [], retired: false,
});

/** The same level once more, with rows of its own. */
export const copyOf = (level: LevelDraft): LevelDraft => ({ ...level, id: nextId(), need: level.need.map((place) => ({ ...place, id: nextId() })) });

/** A step's key stays with it through every version; a new one gets the first number that no step has. */
export function emptyStep(steps: readonly StepDraft[]): StepDraft {
  const taken = new Set(steps.map((step) => step.key));
  let number = steps.length + 1;
  while (taken.has(`step_${number}`)) number++;
  return { id: nextId(), key: `step_${number}`, zh: "", en: "", due_min: null, calendar: ALL_DAY };
}

/** A key out of an English name: "Fire and gas" -> fire_and_gas. */
export function keyFrom(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "");
  return plain.slice(0, 40).replace(/_+$/, "");
}

const rows = (value: unknown): Row[] => (Array.isArray(value) ? value.filter((row): row is Row => typeof row === "object" && row !== null) : []);
const list = <T>(value: unknown, known: T[] = []): T[] => (Array.isArray(value) ? (value as T[]) : known);
const words = (value: unknown, start = ""): string => (typeof value === "string" ? value : start);
const figure = (value: unknown, start: number | null): number | null => (typeof value === "number" ? value : start);

function toFence(fence: unknown): Pick<LevelDraft, "fence" | "value" | "travel"> {
  if (typeof fence === "string") return { fence, value: null, travel: "car" };
  const found = typeof fence === "object" && fence !== null ? (fence as Row) : {};
  const kind = Object.keys(found).find((name) => name !== "mode") ?? "";
  return { fence: kind, value: figure(found[kind], null), travel: words(found.mode, "car") };
}

function toLevel(row: Row): LevelDraft {
  return {
    id: nextId(),
    mode: words(row.mode),
    need: rows(row.need).map((place) => ({
      id: nextId(),
      who: typeof place.capability === "string" ? `c:${place.capability}` : typeof place.unit_kind === "string" ? `k:${place.unit_kind}` : "",
      count: figure(place.count, 1),
    })),
    ...toFence(row.fence),
    offer_s: figure(row.offer_s, START_TIMES.offer_s),
    deliver_s: figure(row.deliver_s, START_TIMES.deliver_s),
    level_s: figure(row.level_s, START_TIMES.level_s),
    undelivered: words(row.undelivered, "next"),
    own_grid_first: row.own_grid_first === true,
    flat: row.flat === true,
    mutual_aid: row.mutual_aid === true,
    ask_again: row.ask_again === true,
  };
}

export function toDraft(body: PlanBody): PlanDraft {
  const name = (body.name ?? {}) as Row;
  return {
    key: words(body.key),
    zh: words(name.zh),
    en: words(name.en),
    classes: [...list<string>(body.classes)],
    severities: [...list<number>(body.severities, SEVERITIES)],
    auto: [...list<number>(body.auto)],
    tell: [...list<string>(body.tell)],
    levels: rows(body.level).map(toLevel),
    steps: rows(body.step).map((row) => {
      const called = (row.name ?? {}) as Row;
      return { id: nextId(), key: words(row.key), zh: words(called.zh), en: words(called.en), due_min: figure(row.due_min, null), calendar: words(row.calendar, ALL_DAY) };
    }),
    retired: body.retired === true,
  };
}

/** An empty field goes out as null, so that the check names it. */
const given = (value: Figure): number | null => (value === "" ? null : value);

function fromPlace({ who, count }: PlaceDraft): Row {
  const [kind, key] = [who.slice(0, 1), who.slice(2)];
  return { ...(kind === "c" ? { capability: key } : {}), ...(kind === "k" ? { unit_kind: key } : {}), count: given(count) };
}

function fromFence({ fence, value, travel, mode }: LevelDraft): unknown {
  if (fence !== "buffer_m" && fence !== "minutes") return fence;
  // Who is ranked is measured by their own way to travel; only the ground of a broadcast is cut out by one.
  return { [fence]: given(value), ...(fence === "minutes" && mode === "broadcast" && travel !== "car" ? { mode: travel } : {}) };
}

function fromLevel(level: LevelDraft): Row {
  return {
    mode: level.mode,
    need: level.need.map(fromPlace),
    ...(level.fence ? { fence: fromFence(level) } : {}),
    offer_s: given(level.offer_s),
    deliver_s: given(level.deliver_s),
    level_s: given(level.level_s),
    ...(level.undelivered === "next" ? {} : { undelivered: level.undelivered }),
    ...Object.fromEntries(LEVEL_FLAGS.filter((flag) => level[flag]).map((flag) => [flag, true])),
  };
}

export function toBody(draft: PlanDraft): PlanBody {
  return {
    key: draft.key.trim(),
    name: { zh: draft.zh.trim(), en: draft.en.trim() },
    classes: draft.classes,
    severities: [...draft.severities].sort(),
    auto: [...draft.auto].sort(),
    tell: draft.tell,
    level: draft.levels.map(fromLevel),
    step: draft.steps.map((step) => ({
      key: step.key,
      name: { zh: step.zh.trim(), en: step.en.trim() },
      ...(given(step.due_min) === null ? {} : { due_min: step.due_min, calendar: step.calendar }),
    })),
    ...(draft.retired ? { retired: true } : {}),
  };
}

/** Whether two drafts say the same, however they were written. */
export const isSame = (one: PlanDraft, other: PlanDraft): boolean => JSON.stringify(toBody(one)) === JSON.stringify(toBody(other));

/** Moves the row at `from` by one; stays where there is no room. */
export function moved<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const to = from + by;
  if (to < 0 || to >= list.length) return [...list];
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}
