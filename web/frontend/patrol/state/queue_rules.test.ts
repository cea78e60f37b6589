import { describe, expect, it } from "vitest";
import { ApiError, Unreachable } from "@shared/api/client";
import { judge, waitMs } from "./queue_rules";

describe("judge", () => {
  it("keeps what no server answered, and what a fault or a lapsed sign-in stopped", () => {
    for (const error of [new Unreachable(), new ApiError(503, "unavailable"), new ApiError(401, "not_authenticated"), new TypeError("x")]) {
      expect(judge("accept", 0, error)).toBe("wait");
    }
  });

  it("gives up on an entry that the server fails on again and again, so that the line goes on", () => {
    expect(judge("done", 3, new ApiError(500, "internal"))).toBe("wait");
    expect(judge("done", 8, new ApiError(500, "internal"))).toBe("refused");
    expect(judge("done", 80, new Unreachable())).toBe("wait");
  });

  it("shows a refusal", () => {
    expect(judge("accept", 0, new ApiError(409, "offer_expired"))).toBe("refused");
    expect(judge("done", 3, new ApiError(409, "photo_required"))).toBe("refused");
  });

  it("takes a step that the server already has as sent, whoever told it; of a result only a repeat", () => {
    const already = new ApiError(409, "not_allowed_in_status", { status: "on_scene" });
    expect(judge("arrive", 1, already)).toBe("sent");
    expect(judge("arrive", 0, already)).toBe("sent");
    const done = new ApiError(409, "not_allowed_in_status", { status: "done" });
    expect(judge("done", 0, done)).toBe("refused");
    expect(judge("done", 2, done)).toBe("sent");
    expect(judge("done", 2, new ApiError(409, "reported_by_another", { by: "radio" }))).toBe("refused");
    expect(judge("arrive", 1, new ApiError(409, "not_allowed_in_status", { status: "cancelled" }))).toBe("refused");
  });
});

describe("judge of an arrival that is denied", () => {
  it("takes being on the way for what was wanted", () => {
    expect(judge("arrive-undo", 0, new ApiError(409, "not_allowed_in_status", { status: "en_route" }))).toBe("sent");
    expect(judge("arrive-undo", 0, new ApiError(409, "not_allowed_in_status", { status: "cancelled" }))).toBe("refused");
  });
});

describe("judge of duty", () => {
  it("takes a state that is reached already as sent, and a job that is open as a refusal", () => {
    expect(judge("duty", 0, new ApiError(409, "already_on_duty"))).toBe("sent");
    expect(judge("duty", 0, new ApiError(409, "job_open"))).toBe("refused");
  });
});

describe("waitMs", () => {
  it("grows and is capped", () => {
    expect([0, 1, 2, 3, 9].map(waitMs)).toEqual([1000, 1000, 2000, 4000, 30_000]);
  });
});
