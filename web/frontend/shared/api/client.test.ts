import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, buildUrl, get, post, setCsrfToken, Unreachable, whenSignedOut } from "./client";

afterEach(() => vi.unstubAllGlobals());
const answer = (status: number, body: unknown) => vi.fn(async (_url: string, _init?: RequestInit) => new Response(body === null ? null : JSON.stringify(body), { status }));

describe("the client", () => {
  it("leaves out what is empty and joins lists", () =>
    expect(buildUrl("/api/x", { a: [], b: null, c: ["p", "q"], d: 0, e: "" })).toBe("/api/x?c=p%2Cq&d=0"));

  it("sends the CSRF token with a write", async () => {
    const fetch = answer(200, {});
    vi.stubGlobal("fetch", fetch);
    setCsrfToken("secret");
    await post("/api/x", { a: 1 });
    const init = fetch.mock.calls[0]![1]!;
    expect(new Headers(init.headers).get("X-CSRF-Token")).toBe("secret");
    expect(init.body).toBe('{"a":1}');
  });

  it("turns a problem into its code and parameters", async () => {
    vi.stubGlobal("fetch", answer(409, { code: "dispatch_open", params: { n: 1 } }));
    await expect(get("/api/x")).rejects.toMatchObject({ status: 409, code: "dispatch_open", params: { n: 1 } });
  });

  it("tells a silent server from a refusal", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
    await expect(get("/api/x")).rejects.toBeInstanceOf(Unreachable);
    vi.stubGlobal("fetch", async () => new Response("<html>", { status: 502 }));
    await expect(get("/api/x")).rejects.toEqual(new ApiError(502, "http_502"));
  });

  it("reports a lost session once", async () => {
    const left = vi.fn();
    whenSignedOut(left);
    vi.stubGlobal("fetch", answer(401, { code: "not_signed_in" }));
    await expect(get("/api/x")).rejects.toMatchObject({ status: 401 });
    expect(left).toHaveBeenCalledOnce();
  });
});
