// The pictures: a frame of the video with the boxes of one run over it.

const SWITCH_SECONDS = 1, TRAIL_SECONDS = 2;

class Panel {
  constructor(page, run, canvas, show) {
    Object.assign(this, { page, run, canvas, show, chosen: null });
    this.state = canvas.parentElement.querySelector(".panel-state");
    canvas.style.aspectRatio = `${run.clip.width} / ${run.clip.height}`;
    canvas.parentElement.style.setProperty("--aspect", run.clip.width / run.clip.height);
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("click", (event) => this.choose(event));
  }

  /** The frame index on show; 0 before there is one. */
  get frame() {
    return this.run.clip.video ? this.run.clip.indices[this.run.clip.place] : 0;
  }

  rows(frame) {
    return [this.run.offsets[frame], this.run.offsets[frame + 1]];
  }

  box(boxes, row) {
    const { units } = this.page, { width, height } = this.canvas;
    const [x, y] = [width / units, height / units], at = 4 * row;
    return [boxes[at] * x, boxes[at + 1] * y, boxes[at + 2] * x, boxes[at + 3] * y];
  }

  colour(id, opacity = 1) {
    const [r, g, b] = this.page.palette[(id - 1 + this.page.palette.length) % this.page.palette.length];
    return `rgb(${r} ${g} ${b} / ${opacity})`;
  }

  draw() {
    const { canvas, run } = this, scale = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(width * run.clip.height / run.clip.width));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    if (!run.clip.video) return;
    pen.drawImage(run.clip.video, 0, 0, width, height);
    const frame = this.frame, line = Math.max(1.5, width / 400);
    if (this.show.trails) this.drawTrails(pen, frame, line);
    if (this.show.truth && this.page.truth) this.drawTruth(pen, frame, line);
    if (this.show.boxes) this.drawBoxes(pen, frame, line);
    const number = run.count[frame - 1];
    this.state.textContent = `frame ${frame}, ${number} ${number === 1 ? "track" : "tracks"}`;
  }

  drawBoxes(pen, frame, line) {
    const { run } = this, [first, end] = this.rows(frame), fresh = this.freshSwitches(frame);
    const order = [...Array(end - first).keys()].map((i) => first + i);
    order.sort((a, b) => run.boxes[4 * a + 3] - run.boxes[4 * b + 3]);  // who stands nearer is drawn later
    for (const row of order) {
      const id = run.ids[run.lives[row]], [left, top, right, bottom] = this.box(run.boxes, row);
      const dim = this.chosen !== null && this.chosen !== id, old = fresh.get(id);
      pen.globalAlpha = dim ? 0.35 : 1;
      for (const [colour, width] of [["rgb(14 16 20)", 2 * line], [this.colour(id), old || this.chosen === id ? 2 * line : line]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.strokeRect(left, top, right - left, bottom - top);
      }
      this.drawLabel(pen, old ? `${old} \u2192 ${id}` : String(id), id, left, top, line, Boolean(old));
    }
    pen.globalAlpha = 1;
  }

  drawLabel(pen, text, id, left, top, line, isLoud) {
    const size = Math.max(11 * (window.devicePixelRatio || 1), 6 * line) * (isLoud ? 1.25 : 1);
    pen.font = `600 ${size}px system-ui, sans-serif`;
    const width = pen.measureText(text).width + 0.6 * size, height = 1.25 * size;
    const x = Math.min(Math.max(left - line / 2, 0), this.canvas.width - width), y = Math.max(top - height, 0);
    const [r, g, b] = this.page.palette[(id - 1 + this.page.palette.length) % this.page.palette.length];
    pen.fillStyle = isLoud ? "rgb(240 82 48)" : this.colour(id);
    pen.fillRect(x, y, width, height);
    pen.fillStyle = isLoud || 0.3 * r + 0.59 * g + 0.11 * b > 110 ? "rgb(14 16 20)" : "rgb(240 242 245)";
    pen.textBaseline = "middle";
    pen.fillText(text, x + 0.3 * size, y + height / 2 + 0.04 * size);
  }

  /** New id to old one, of switches in the last second. */
  freshSwitches(frame) {
    const found = new Map(), span = Math.round(SWITCH_SECONDS * this.run.clip.rate);
    for (const one of this.run.switches) {
      if (one.frame <= frame && frame < one.frame + span) found.set(one.id, one.old);
    }
    return found;
  }

  drawTrails(pen, frame, line) {
    const { run } = this, paths = new Map(), span = Math.round(TRAIL_SECONDS * run.clip.rate);
    for (let then = Math.max(1, frame - span); then <= frame; then++) {
      const [first, end] = this.rows(then);
      for (let row = first; row < end; row++) {
        const [left, , right, bottom] = this.box(run.boxes, row), life = run.lives[row];
        if (!paths.has(life)) paths.set(life, []);
        paths.get(life).push([then, (left + right) / 2, bottom]);
      }
    }
    pen.lineWidth = line;
    for (const [life, points] of paths) {
      if (this.chosen !== null && this.chosen !== run.ids[life]) continue;
      pen.strokeStyle = this.colour(run.ids[life], 0.7);
      pen.beginPath();
      points.forEach(([then, x, y], i) => (i && then === points[i - 1][0] + 1 ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.stroke();
    }
  }

  drawTruth(pen, frame, line) {
    const { truth } = this.page;
    pen.setLineDash([3 * line, 3 * line]);
    for (let row = truth.offsets[frame]; row < truth.offsets[frame + 1]; row++) {
      const [left, top, right, bottom] = this.box(truth.boxes, row);
      pen.lineWidth = line;
      pen.strokeStyle = "rgb(255 255 255 / 0.9)";
      pen.strokeRect(left, top, right - left, bottom - top);
    }
    pen.setLineDash([]);
  }

  choose(event) {
    const scale = this.canvas.width / this.canvas.clientWidth, [first, end] = this.rows(this.frame);
    const [x, y] = [event.offsetX * scale, event.offsetY * scale];
    let best = null, smallest = Infinity;
    for (let row = first; row < end; row++) {
      const [left, top, right, bottom] = this.box(this.run.boxes, row), area = (right - left) * (bottom - top);
      if (left <= x && x <= right && top <= y && y <= bottom && area < smallest) {
        [best, smallest] = [this.run.ids[this.run.lives[row]], area];
      }
    }
    this.onchoose(this.run, best);
  }
}
