/**
 * The world outside of the connection: sockets, time, chance, the network's state. Tests pass fakes.
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
 * `now` is in ms since 1970, `random` in [0, 1). `onWake` calls back when the network or the person has come back, which is a reason
 * to try at once; it returns a function that stops this.
 *
 * @typedef {{
 *   open(url: string, subprotocol: string): SocketLike, now(): number, random(): number, online(): boolean,
 *   setTimeout(callback: () => void, ms: number): unknown, clearTimeout(timer: any): void,
 *   onWake(callback: () => void): () => void,
 * }} Environment
 */

/** @returns {Environment} */
export function browserEnvironment() {
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
 * Listens for `visibilitychange` and `pageshow`, too: iOS and the back-forward cache kill sockets without a close event.
 *
 * @param {() => void} callback
 */
function onWake(callback) {
  const stop = new AbortController();
  const onVisibility = () => document.visibilityState === "visible" && callback();
  addEventListener("online", callback, { signal: stop.signal });
  addEventListener("pageshow", callback, { signal: stop.signal });
  document.addEventListener("visibilitychange", onVisibility, { signal: stop.signal });
  return () => stop.abort();
}

/** Returns the address of `/ws/` on the page's own site. */
export function socketUrl() {
  const url = new URL("/ws/", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
