/**
 * What the connection needs of the world around it. Tests hand in a fake socket and fake time.
 *
 * @module
 */

/**
 * The part of the browser's WebSocket that is used.
 *
 * @typedef {{
 *   onopen: ((event: any) => void) | null, onmessage: ((event: any) => void) | null,
 *   onclose: ((event: any) => void) | null, onerror: ((event: any) => void) | null,
 *   send(text: string): void, close(code?: number, reason?: string): void,
 * }} SocketLike
 */
/**
 * `onWake` calls back when the network or the person came back (a wake is a reason to try at once) and gives its undoing.
 *
 * @typedef {{
 *   open(url: string, subprotocol: string): SocketLike, now(): number, random(): number, online(): boolean,
 *   setTimeout(callback: () => void, ms: number): unknown, clearTimeout(timer: any): void,
 *   onWake(callback: () => void): () => void,
 * }} Surroundings
 */

/** @returns {Surroundings} */
export function browserSurroundings() {
  return {
    open: (url, subprotocol) => new WebSocket(url, subprotocol),
    now: () => Date.now(),
    random: Math.random,
    online: () => navigator.onLine,
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    onWake,
  };
}

/**
 * iOS and the back-forward cache kill sockets without a close event, so coming back to view is a reason to look, too.
 *
 * @param {() => void} callback
 */
function onWake(callback) {
  const stop = new AbortController();
  const seen = () => document.visibilityState === "visible" && callback();
  addEventListener("online", callback, { signal: stop.signal });
  addEventListener("pageshow", callback, { signal: stop.signal });
  document.addEventListener("visibilitychange", seen, { signal: stop.signal });
  return () => stop.abort();
}

/** The address of `/ws/` on the page's own site. */
export function ownSocketUrl() {
  const url = new URL("/ws/", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
