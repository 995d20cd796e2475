// The timeline: lanes of curves and events on one axis of time. Long clips are drawn by the smallest and largest value
// of each column of pixels; what does not move is kept, and only the line of the present is drawn anew.

const GUTTER = 8, EVENT_ROW = 13, AXIS = 20;
const KINDS = ["switch", "fragment", "loss", "birth"];
const TERM_NAMES = { quality: "Q", clarity: "clarity", noise: "noise", contrast: "contrast" };

/** What part of the time is on show, shared by timeline and life lines. */
class View {
  constructor(duration) {
    Object.assign(this, { duration, from: 0, to: duration, listeners: [] });
  }

  set(from, to) {
    const length = Math.min(Math.max(to - from, Math.min(0.5, this.duration)), this.duration);
    this.from = Math.min(Math.max(from, 0), this.duration - length);
    this.to = this.from + length;
    for (const listener of this.listeners) listener();
  }

  zoom(factor, around) {
    const at = around < this.from || around > this.to ? (this.from + this.to) / 2 : around;
    this.set(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  /** Turn the page when the present leaves it. */
  follow(time) {
    if (time < this.from || time > this.to) this.set(time - 0.1 * (this.to - this.from), time + 0.9 * (this.to - this.from));
  }

  get isWhole() {
    return this.to - this.from >= this.duration - 1e-6;
  }

  x(time, width) {
    return GUTTER + (time - this.from) / (this.to - this.from) * (width - 2 * GUTTER);
  }

  time(x, width) {
    return this.from + (x - GUTTER) / (width - 2 * GUTTER) * (this.to - this.from);
  }
}

/** The colours of the style sheet by name; each is looked up once, as asking the browser takes its time. */
function theme() {
  const style = getComputedStyle(document.documentElement), known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, style.getPropertyValue(`--${name}`).trim());
    return known.get(name);
  };
}

class Timeline {
  constructor(page, view, player, canvas, shown) {
    Object.assign(this, { page, view, player, canvas, shown, hover: null, dragging: false });
    this.curves = this.makeCurves();
    this.still = document.createElement("canvas");
    view.listeners.push(() => this.redraw());
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.listen();
  }

  makeCurves() {
    const { page } = this, lanes = [], all = (values) => values.reduce((a, b) => Math.max(a, b), 0);
    for (const clip of page.clips.filter((one) => one.terms)) {
      const of = page.clips.length > 1 ? ` of ${clip.name}` : "";
      lanes.push({ title: `quality${of}`, height: 76, top: 1, series: Object.entries(TERM_NAMES).map(([term, name]) =>
        ({ name, values: clip.terms[term], clip, colour: term, width: term === "quality" ? 2 : 1 })) });
    }
    const perRun = (title, key, height) => {
      const runs = page.runs.filter((run) => run[key] && run[key].some((value) => !Number.isNaN(value)));
      if (!runs.length) return;
      const series = runs.map((run) =>
        ({ name: page.runs.length > 1 ? run.name : "", values: run[key], clip: run.clip, colour: `run${run.number % 6}`, width: 1.5 }));
      const isShare = key === "weight" || key === "meanScore";
      lanes.push({ title, height, series, top: isShare ? 1 : Math.max(1, ...runs.map((run) => all(run[key]))), isCount: !isShare });
    };
    perRun("semantic weight", "weight", 48);
    perRun("number of tracks", "count", 48);
    perRun("mean score", "meanScore", 48);
    if (page.truth) {
      const { offsets } = page.truth, people = new Float32Array(page.numFrames);
      for (let i = 0; i < people.length; i++) people[i] = offsets[i + 2] - offsets[i + 1];
      const lane = lanes.find((one) => one.title === "number of tracks");
      lane.series.push({ name: "people", values: people, clip: page.clips[0], colour: "muted", width: 1, dash: [4, 3] });
      lane.top = Math.max(lane.top, all(people));
      for (const run of page.runs) run.wrong = run.missed.map((value, i) => value + run.false[i]);
      perRun("missed and false boxes", "wrong", 48);
    }
    return lanes;
  }

  listen() {
    const { canvas, view } = this, timeOf = (event) => view.time(event.offsetX, canvas.clientWidth);
    canvas.addEventListener("pointerdown", (event) => {
      this.dragging = true;
      canvas.setPointerCapture(event.pointerId);
      const near = this.eventNear(event.offsetX, event.offsetY);
      if (near) this.onevent(near);
      else this.player.seek(timeOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      this.hover = { x: event.offsetX, y: event.offsetY };
      if (this.dragging && event.buttons) this.player.seek(timeOf(event));
      else this.draw();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { this.dragging = false; });
    canvas.addEventListener("pointerleave", () => { this.hover = null; this.draw(); });
    canvas.addEventListener("wheel", (event) => {
      const span = view.to - view.from;
      if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(event.deltaY / 300), timeOf(event));
      else if (event.deltaX) view.set(view.from + event.deltaX / canvas.clientWidth * span, view.to + event.deltaX / canvas.clientWidth * span);
      else return;
      event.preventDefault();
    }, { passive: false });
  }

  eventNear(x, y) {
    const { view, canvas } = this;
    for (const lane of this.lanes) {
      if (!lane.run || y < lane.y || y > lane.y + lane.height) continue;
      const kind = lane.kinds[Math.floor((y - lane.y - 15) / EVENT_ROW)];
      let best = null, least = 6;
      for (const one of lane.run.events) {
        const away = Math.abs(view.x(one.time, canvas.clientWidth) - x);
        if (one.kind === kind && away < least) [best, least] = [one, away];
      }
      return best;
    }
    return null;
  }

  /** The curves, and for each run a lane with a row for each kind of event that is switched on. */
  layOut() {
    const { runs } = this.page, kinds = KINDS.filter((kind) => this.shown[kind]);
    this.lanes = [...this.curves, ...(kinds.length ? runs : []).map((run) =>
      ({ title: runs.length > 1 ? `events, ${run.name}` : "events", height: 15 + EVENT_ROW * kinds.length, run, kinds }))];
    this.height = AXIS + this.lanes.reduce((sum, lane) => sum + lane.height + 4, 0);
    this.canvas.style.height = `${this.height}px`;
  }

  redraw() {
    this.layOut();
    const { canvas, still } = this, scale = window.devicePixelRatio || 1, width = canvas.clientWidth;
    if (!width) return;
    for (const one of [canvas, still]) Object.assign(one, { width: width * scale, height: this.height * scale });
    const pen = still.getContext("2d"), colour = theme();
    pen.scale(scale, scale);
    let y = 0;
    for (const lane of this.lanes) {
      lane.y = y;
      pen.fillStyle = colour("lane");
      pen.fillRect(0, y, width, lane.height);
      if (lane.run) this.drawEvents(pen, lane, width, colour);
      else for (const series of lane.series) this.drawSeries(pen, lane, series, width, colour);
      this.drawTitle(pen, lane, width, colour);
      y += lane.height + 4;
    }
    this.drawAxis(pen, y, width, colour);
    this.draw();
  }

  drawTitle(pen, lane, width, colour) {
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "top";
    let x = 6;
    const write = (text, ink, bold) => {
      pen.font = `${bold ? 600 : 400} 11px system-ui, sans-serif`;
      const length = pen.measureText(text).width;
      pen.fillStyle = colour("lane-title");
      pen.fillRect(x - 2, lane.y + 1, length + 4, 14);
      pen.fillStyle = ink;
      pen.fillText(text, x, lane.y + 3);
      x += length + 8;
    };
    write(lane.title, colour("ink"), true);
    for (const series of lane.series || []) if (series.name) write(series.name, colour(series.colour), false);
    if (!lane.run) {
      const text = String(lane.top);
      x = width - 6 - pen.measureText(text).width;
      write(text, colour("muted"), false);
    }
  }

  drawSeries(pen, lane, series, width, colour) {
    const { view } = this, { values, clip } = series, times = clip.timeOfFrame, last = values.length;
    const yOf = (value) => lane.y + lane.height - 2 - value / lane.top * (lane.height - 18);
    pen.beginPath();
    let open = false;
    const go = (x, value) => {
      if (open) pen.lineTo(x, yOf(value));
      else pen.moveTo(x, yOf(value));
      open = true;
    };
    const first = Math.max(1, lowerBound(times, view.from) - 1), end = Math.min(last, lowerBound(times, view.to) + 1);
    if (end - first < 2 * width) {
      for (let frame = first; frame <= end; frame++) {
        const value = values[frame - 1];
        if (Number.isNaN(value)) open = false;
        else go(view.x(times[frame], width), value);
      }
    } else {
      let frame = first;
      for (let column = GUTTER; column < width - GUTTER; column++) {
        const until = Math.min(end + 1, lowerBound(times, view.time(column + 1, width), frame));
        let low = Infinity, high = -Infinity;
        for (; frame < until; frame++) {
          const value = values[frame - 1];
          if (value < low) low = value;
          if (value > high) high = value;
        }
        if (low > high) { open = false; continue; }
        go(column, high);
        go(column, low);
      }
    }
    pen.strokeStyle = colour(series.colour);
    pen.lineWidth = series.width;
    pen.setLineDash(series.dash || []);
    pen.stroke();
    pen.setLineDash([]);
  }

  drawEvents(pen, lane, width, colour) {
    lane.kinds.forEach((kind, row) => {
      const middle = lane.y + 15 + (row + 0.5) * EVENT_ROW;
      let last = -9;
      for (const one of lane.run.events) {
        if (one.kind !== kind || one.time < this.view.from || one.time > this.view.to) continue;
        const x = this.view.x(one.time, width);
        if (x - last < 1.5 && !one.inside) continue;  // more would not show
        last = x;
        drawMark(pen, kind, x, middle, colour, one.inside);
      }
    });
  }

  drawAxis(pen, y, width, colour) {
    const { view } = this, span = view.to - view.from, wanted = span / Math.max(2, width / 90);
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => one >= wanted) || 7200;
    pen.fillStyle = colour("muted");
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "top";
    for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
      const x = view.x(time, width), text = clockText(time, step < 1), half = pen.measureText(text).width / 2;
      pen.fillRect(x, y, 1, 4);
      pen.fillText(text, Math.min(Math.max(x - half, 0), width - 2 * half), y + 6);
    }
  }

  draw() {
    const { canvas, view, player } = this, scale = window.devicePixelRatio || 1, width = canvas.clientWidth;
    const pen = canvas.getContext("2d"), colour = theme();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.still.width) return;
    pen.drawImage(this.still, 0, 0);
    pen.scale(scale, scale);
    if (this.hover) {
      pen.fillStyle = colour("muted");
      pen.fillRect(this.hover.x, 0, 1, this.height - AXIS);
    }
    pen.fillStyle = colour("now");
    pen.fillRect(view.x(player.time, width) - 1, 0, 2, this.height - AXIS + 4);
    this.onhover(this.hover && view.time(this.hover.x, width), this.hover);
  }

  /** Values at a time, in words. */
  valuesAt(time) {
    const lines = [];
    for (const lane of this.lanes.filter((one) => one.series)) {
      const parts = lane.series.map((series) => {
        const value = series.values[lowerBound(series.clip.timeOfFrame, time + 1e-3) - 2];
        return value === undefined || Number.isNaN(value) ? "" : `${series.name} ${lane.isCount ? value : value.toFixed(2)}`.trim();
      });
      if (parts.some(Boolean)) lines.push(`${lane.title}: ${parts.filter(Boolean).join(", ")}`);
    }
    return lines;
  }
}

/** Each kind has its own shape; hollow ones are at the picture's edge. */
function drawMark(pen, kind, x, y, colour, filled) {
  pen.beginPath();
  if (kind === "switch") for (const [dx, dy] of [[0, -5.5], [5.5, 0], [0, 5.5], [-5.5, 0]]) pen.lineTo(x + dx, y + dy);
  else if (kind === "fragment") pen.rect(x - 1.5, y - 5, 3, 10);
  else for (const dx of [-4, 4, 0]) pen.lineTo(x + dx, y + (kind === "loss" ? 1 : -1) * (dx ? -3.5 : 4));
  pen.closePath();
  pen.fillStyle = pen.strokeStyle = colour(kind);
  pen.lineWidth = 1;
  if (filled) pen.fill();
  else { pen.globalAlpha = 0.55; pen.stroke(); pen.globalAlpha = 1; }
}
