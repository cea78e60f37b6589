/** A half-typed area is neither an area nor "everywhere": nothing may be granted on it. */
export type AreaChoice = { state: "everywhere" } | { state: "typing" } | { state: "chosen"; id: number; name: string };

export const everywhere: AreaChoice = { state: "everywhere" };
export const areaId = (choice: AreaChoice): number | null => (choice.state === "chosen" ? choice.id : null);
