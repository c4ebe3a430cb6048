import { randomBytes } from 'node:crypto';

const LIFETIME = 8 * 60 * 60 * 1000;
const MAX_SESSIONS = 1000;
const COOKIE = /(?:^|;\s*)SESSION=([0-9a-f]{32})(?:;|$)/;

const USERS = new Map([
  ['anna', 'Anna'],
  ['ben', 'Ben'],
]);

/**
 * Creates the store of signed-in users, which lasts as long as the process.
 */
export function createSessions({ now = Date.now } = {}) {
  const sessions = new Map();

  function tokenOf(request) {
    return COOKIE.exec(request.headers.cookie ?? '')?.[1];
  }

  return {
    /** Returns the signed-in user's name, or undefined. */
    userOf(request) {
      const token = tokenOf(request);
      const session = sessions.get(token);
      if (!session) return undefined;
      if (session.expires <= now()) {
        sessions.delete(token);
        return undefined;
      }
      return session.user;
    },

    /** Returns the cookie of a new session, or undefined for an unknown user. */
    signIn(name) {
      const user = name.trim().toLowerCase();
      if (!USERS.has(user)) return undefined;
      // A Map keeps insertion order, so the first key is the oldest session.
      if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value);
      const token = randomBytes(16).toString('hex');
      sessions.set(token, { user, expires: now() + LIFETIME });
      return `SESSION=${token}; Path=/; HttpOnly`;
    },

    /** Ends the session of the request and returns the cookie that clears it. */
    signOut(request) {
      sessions.delete(tokenOf(request));
      return 'SESSION=; Path=/; HttpOnly; Max-Age=0';
    },
  };
}

/**
 * Returns how a user is addressed on the pages.
 */
export function displayName(user) {
  return USERS.get(user) ?? user;
}
