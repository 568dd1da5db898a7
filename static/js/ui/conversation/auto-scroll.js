/**
 * Keeps the conversation scrolled to its end while text streams. When the reader scrolls up, the page never moves by itself until
 * the reader is back at the end.
 *
 * @module
 */

const NEAR_PX = 4; // this close to the end counts as the end: zoomed pages have fractions of pixels
const FAR_PX = 160; // this far from the end “Jump to latest” is shown
const UP_KEYS = new Set(["ArrowUp", "PageUp", "Home"]);

export class AutoScroll {
  #follows = true;
  #top = 0;
  #touchY = 0;

  /**
   * @param {HTMLElement} box the element that scrolls
   * @param {HTMLElement} content the element in it that grows
   * @param {HTMLElement} jump the button “Jump to latest”
   * @param {{nearTop?: () => void, atEnd?: () => void}} [hooks] called while the reader is there
   */
  constructor(box, content, jump, hooks = {}) {
    this.box = box;
    this.jump = jump;
    this.hooks = hooks;
    box.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    box.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.release(), { passive: true });
    box.addEventListener("touchstart", ({ touches }) => this.#onTouchStart(touches), { passive: true });
    box.addEventListener("touchmove", ({ touches }) => this.#onTouchMove(touches), { passive: true });
    box.addEventListener("keydown", (event) => (UP_KEYS.has(event.key) ? this.release() : undefined));
    jump.addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => this.update());
    sizes.observe(content);
    sizes.observe(box);
    this.update();
  }

  /** Stops following the end. */
  release() {
    if (this.box.scrollHeight > this.box.clientHeight) this.#follows = false;
  }

  /** Scrolls to the end and follows it. */
  toEnd() {
    this.#follows = true;
    this.update();
  }

  /** To be called after the content has changed: scrolls to the end if it is followed. */
  update() {
    if (this.#follows && this.#distance() > 0) this.box.scrollTop = this.box.scrollHeight;
    this.#top = this.box.scrollTop;
    this.#onMoved();
  }

  /**
   * Runs a change of the content above the reader, who sees the same lines before and after.
   *
   * @param {() => void} change
   */
  keepPosition(change) {
    const below = this.box.scrollHeight - this.box.scrollTop;
    change();
    this.box.scrollTop = this.box.scrollHeight - below;
    this.#top = this.box.scrollTop;
  }

  #distance() {
    return this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop;
  }

  #onScroll() {
    const { scrollTop } = this.box;
    const distance = this.#distance();
    // Up: by the scroll bar or a key; the wheel and touch have their own events.
    if (scrollTop < this.#top && distance > NEAR_PX) this.#follows = false;
    else if (scrollTop > this.#top && distance <= NEAR_PX) this.#follows = true;
    this.#top = scrollTop;
    this.#onMoved();
    if (scrollTop < this.box.clientHeight) this.hooks.nearTop?.();
  }

  #onMoved() {
    const distance = this.#distance();
    this.jump.hidden = this.#follows || distance < FAR_PX;
    if (distance <= FAR_PX) this.hooks.atEnd?.();
  }

  /** @param {TouchList} touches */
  #onTouchStart(touches) {
    this.#touchY = touches[0]?.clientY ?? 0;
  }

  /** @param {TouchList} touches */
  #onTouchMove(touches) {
    const y = touches[0]?.clientY ?? 0;
    if (y > this.#touchY) this.release();
    this.#touchY = y;
  }
}
