/**
 * Who moves the page. At the end it stays at the end while text streams; one notch up and it never moves by itself again,
 * until the reader goes back to the end.
 *
 * @module
 */

const NEAR = 4; // px from the end that count as being there: fractions of zoomed pages
const FAR = 160; // px from the end at which “Jump to latest” is offered
const UP_KEYS = new Set(["ArrowUp", "PageUp", "Home"]);

export class Scroll {
  #follows = true;
  #top = 0;
  #touch = 0;

  /**
   * @param {HTMLElement} box what scrolls
   * @param {HTMLElement} content what is in it
   * @param {HTMLElement} jump the button
   * @param {{top?: () => void, end?: () => void}} [hooks] `top`: the reader comes near the top; `end`: stands at the end
   */
  constructor(box, content, jump, hooks = {}) {
    this.box = box;
    this.jump = jump;
    this.hooks = hooks;
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    box.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.release(), { passive: true });
    box.addEventListener("touchstart", ({ touches }) => this.#touched(touches), { passive: true });
    box.addEventListener("touchmove", ({ touches }) => this.#moved(touches), { passive: true });
    box.addEventListener("keydown", (event) => (UP_KEYS.has(event.key) ? this.release() : undefined));
    jump.addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => this.settle());
    sizes.observe(content);
    sizes.observe(box);
    this.settle();
  }

  /** Is the page kept at the end? */
  get follows() {
    return this.#follows;
  }

  /** Stay where the reader is from now on. */
  release() {
    if (this.box.scrollHeight > this.box.clientHeight) this.#follows = false;
  }

  /** Go to the end and stay there. */
  toEnd() {
    this.#follows = true;
    this.settle();
  }

  /** The content changed: go to the end if that is where the reader is kept. */
  settle() {
    if (this.#follows && this.#distance() > 0) this.box.scrollTop = this.box.scrollHeight;
    this.#top = this.box.scrollTop;
    this.#offer();
  }

  /**
   * Do something that changes what is above the reader, who then still sees the same lines.
   *
   * @param {() => void} change
   */
  keepPlace(change) {
    const below = this.box.scrollHeight - this.box.scrollTop;
    change();
    this.box.scrollTop = this.box.scrollHeight - below;
    this.#top = this.box.scrollTop;
  }

  #distance() {
    return this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop;
  }

  #scrolled() {
    const { scrollTop } = this.box;
    const distance = this.#distance();
    if (scrollTop < this.#top && distance > NEAR)
      this.#follows = false; // the scroll bar, or a key
    else if (scrollTop > this.#top && distance <= NEAR) this.#follows = true;
    this.#top = scrollTop;
    this.#offer();
    if (scrollTop < this.box.clientHeight) this.hooks.top?.();
  }

  #offer() {
    const distance = this.#distance();
    this.jump.hidden = this.#follows || distance < FAR;
    if (distance <= FAR) this.hooks.end?.();
  }

  /** @param {TouchList} touches */
  #touched(touches) {
    this.#touch = touches[0]?.clientY ?? 0;
  }

  /** @param {TouchList} touches */
  #moved(touches) {
    const y = touches[0]?.clientY ?? 0;
    if (y > this.#touch) this.release();
    this.#touch = y;
  }
}
