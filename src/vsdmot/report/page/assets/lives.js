// Life lines: a row for each track that lives within the view. Only the rows that are scrolled into sight are drawn.

const ROW = 16;

class Lives {
  constructor(page, view, player, run, box) {
    Object.assign(this, { page, view, player, run, box, chosen: null });
    this.canvas = box.querySelector("canvas");
    this.rows = box.querySelector(".lives-rows");
    this.count = document.querySelector(`.lives-count[data-run="${run.number}"]`);
    this.breaks = new Map();
    for (const one of run.events) {
      if (one.kind !== "switch" && one.kind !== "fragment") continue;
      if (!this.breaks.has(one.id)) this.breaks.set(one.id, []);
      this.breaks.get(one.id).push(one);
    }
    view.listeners.push(() => this.list());
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("scroll", () => this.draw());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.list();
  }

  /** List the tracks that live within the view. */
  list() {
    const { run, view } = this, times = run.clip.timeOfFrame, total = run.ids.length;
    this.listed = [];
    for (let life = 0; life < total; life++) {
      const spans = run.spansOf[life], [first, last] = [spans[0][0], spans[spans.length - 1][1]];
      if (times[last] >= view.from && times[first] <= view.to) this.listed.push(life);
    }
    this.count.textContent = view.isWhole ? `${total} tracks` : `${this.listed.length} of ${total} tracks in view`;
    this.rows.style.height = `${Math.max(1, this.listed.length) * ROW}px`;
    this.draw();
  }

  draw() {
    const { box, canvas, run, view } = this, scale = window.devicePixelRatio || 1;
    const [width, height] = [box.clientWidth, Math.min(box.clientHeight, this.listed.length * ROW)];
    if (!width || !height) return;
    Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = canvas.getContext("2d"), colour = theme(), times = run.clip.timeOfFrame;
    pen.scale(scale, scale);
    pen.font = "10px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const top = box.scrollTop, first = Math.floor(top / ROW);
    for (let place = first; place < Math.min(this.listed.length, first + height / ROW + 1); place++) {
      const life = this.listed[place], id = run.ids[life], y = place * ROW - top;
      const [r, g, b] = this.page.palette[(id - 1 + this.page.palette.length) % this.page.palette.length];
      if (this.chosen === id) {
        pen.fillStyle = colour("chosen");
        pen.fillRect(0, y, width, ROW);
      }
      pen.fillStyle = `rgb(${r} ${g} ${b})`;
      for (const [from, to] of run.spansOf[life]) {
        const x = view.x(times[from], width), end = view.x(times[to + 1], width);
        if (end >= 0 && x <= width) pen.fillRect(x, y + 4, Math.max(1.5, end - x), ROW - 8);
      }
      for (const one of this.breaks.get(id) || []) {
        drawMark(pen, one.kind, view.x(one.time, width), y + ROW / 2, colour, true);
      }
      const text = String(id), start = view.x(times[run.spansOf[life][0][0]], width), room = pen.measureText(text).width;
      pen.fillStyle = colour("ink");
      pen.fillText(text, start - room - 4 >= 2 ? start - room - 4 : Math.max(2, start + 4), y + ROW / 2 + 0.5);
    }
    this.drawNow(pen, width, height, colour);
  }

  drawNow(pen, width, height, colour) {
    pen.fillStyle = colour("now");
    pen.fillRect(this.view.x(this.player.time, width) - 0.75, 0, 1.5, height);
  }

  click(event) {
    const life = this.listed[Math.floor((event.offsetY + this.box.scrollTop) / ROW)];
    if (life === undefined) return;
    const time = this.view.time(event.offsetX, this.box.clientWidth), times = this.run.clip.timeOfFrame;
    const spans = this.run.spansOf[life];
    const clamped = Math.min(Math.max(time, times[spans[0][0]]), times[spans[spans.length - 1][1]]);
    this.onchoose(this.run, this.run.ids[life], clamped);
  }

  /** Scroll to a track. */
  show(id) {
    this.chosen = id;
    const place = this.listed.findIndex((life) => this.run.ids[life] === id);
    const top = place * ROW;
    if (place >= 0 && (top < this.box.scrollTop || top + ROW > this.box.scrollTop + this.box.clientHeight)) {
      this.box.scrollTop = top - this.box.clientHeight / 2;
    }
    this.draw();
  }
}
