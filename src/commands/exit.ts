/** Exit codes, after sysexits.h: supervisors restart after 1 and 69, and not after 64 and 78. */
export const EXIT = { ok: 0, internal: 1, usage: 64, unavailable: 69, config: 78 } as const;
