// Buttons, keys and everything that ties the parts together.

function start() {
  const page = readPage(), player = new Player(page), view = new View(page.duration);
  const byId = (id) => document.getElementById(id), every = (selector) => [...document.querySelectorAll(selector)];
  const show = { boxes: true, trails: true, truth: false }, shown = {};
  for (const run of page.runs) run.switches = run.events.filter((one) => one.kind === "switch");
  for (const box of every("[data-event]")) shown[box.dataset.event] = box.checked;

  const panels = every("canvas.picture").map((canvas, i) => new Panel(page, page.runs[i], canvas, show));
  const timeline = new Timeline(page, view, player, byId("timeline"), shown);
  const lives = every(".lives").map((box, i) => new Lives(page, view, player, page.runs[i], box));

  const refresh = () => {
    if (player.playing) view.follow(player.time);
    for (const panel of panels) panel.draw();
    for (const one of lives) one.draw();
    timeline.draw();
    byId("clock").textContent = `${clockText(player.time)} of ${clockText(page.duration)}`;
    byId("play").textContent = player.playing ? "\u275a\u275a" : "\u25b6";
    byId("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
    const slider = byId("timeline");
    slider.setAttribute("aria-valuemax", page.duration.toFixed(2));
    slider.setAttribute("aria-valuenow", player.time.toFixed(2));
    slider.setAttribute("aria-valuetext", clockText(player.time));
  };
  player.listeners.push(refresh);

  const say = (text) => { byId("said").textContent = text; };
  const choose = (run, id) => {
    panels.forEach((panel) => { panel.chosen = panel.run === run ? id : null; });
    lives.forEach((one) => (one.run === run && id !== null ? one.show(id) : Object.assign(one, { chosen: null })));
    refresh();
  };
  const jump = (run, frame) => {
    if (player.playing) player.pause();
    const time = run.clip.timeOfFrame[frame];
    player.seek(time);
    view.follow(time);
  };
  /** Jump to an event, and say all that happens at the same time. */
  const jumpToEvent = (one, all = [one]) => {
    jump(one.run, one.frame);
    const texts = all.filter((other) => Math.abs(other.time - one.time) < 1e-6)
      .map((other) => `${page.runs.length > 1 ? `${other.run.name}: ` : ""}${other.text}`);
    say(`${clockText(one.time)}: ${texts.slice(0, 4).join("; ")}${texts.length > 4 ? ` and ${texts.length - 4} more` : ""}`);
  };
  const stepEvent = (direction) => {
    const events = page.runs.flatMap((run) => run.events).filter((one) => shown[one.kind]);
    events.sort((a, b) => a.time - b.time);
    const half = 0.5 / page.clips[0].rate;
    const next = direction > 0
      ? events.find((one) => one.time > player.time + half)
      : events.reverse().find((one) => one.time < player.time - half);
    if (next) jumpToEvent(next, events);
    else say(events.length ? `no ${direction > 0 ? "later" : "earlier"} event` : "no events of the chosen kinds");
  };

  timeline.onevent = (one) => jumpToEvent(one);
  timeline.onhover = (time, at) => {
    const box = byId("readout");
    box.hidden = time === null || time < 0 || time > page.duration;
    if (box.hidden) return;
    box.textContent = [clockText(time), ...timeline.valuesAt(time)].join("\n");
    const right = at.x > timeline.canvas.clientWidth / 2;
    Object.assign(box.style, right ? { right: `${timeline.canvas.clientWidth - at.x + 10}px`, left: "auto" } : { left: `${at.x + 10}px`, right: "auto" });
  };
  for (const panel of panels) panel.onchoose = choose;
  for (const one of lives) {
    one.onchoose = (run, id, time) => { player.seek(time); choose(run, id); };
  }

  for (const swatch of every(".swatch")) swatch.style.background = `var(--run${swatch.dataset.run % 6})`;
  const toVideo = (element) => {
    jump(page.runs[element.dataset.run], Number(element.dataset.frame));
    byId("player").scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  for (const one of every("button[data-frame], figure[data-frame]")) one.addEventListener("click", () => toVideo(one));
  const actions = {
    play: () => player.toggle(), back: () => player.step(-1), forth: () => player.step(1),
    previous: () => stepEvent(-1), next: () => stepEvent(1),
    "zoom-in": () => view.zoom(0.5, player.time), "zoom-out": () => view.zoom(2, player.time),
    "zoom-all": () => view.set(0, page.duration),
  };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
  byId("speed").addEventListener("change", (event) => player.speed(Number(event.target.value)));
  for (const name of Object.keys(show)) {
    const box = byId(`show-${name}`);
    if (box) box.addEventListener("change", () => { show[name] = box.checked; refresh(); });
  }
  for (const box of every("[data-event]")) {
    box.addEventListener("change", () => { shown[box.dataset.event] = box.checked; timeline.redraw(); });
  }

  const second = () => Math.round(player.master.rate);
  const keys = {
    " ": () => player.toggle(), k: () => player.toggle(),
    ArrowLeft: (event) => player.step(event.shiftKey ? -second() : -1),
    ArrowRight: (event) => player.step(event.shiftKey ? second() : 1),
    Home: () => player.seek(0), End: () => player.seek(page.duration),
    n: () => stepEvent(1), p: () => stepEvent(-1),
    "+": actions["zoom-in"], "=": actions["zoom-in"], "-": actions["zoom-out"], 0: actions["zoom-all"],
    Escape: () => choose(null, null),
  };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event, presses = target.closest("button, input, summary") && (key === " " || key === "Enter");
    if (event.ctrlKey || event.metaKey || event.altKey || presses || target.closest("select") || !keys[key]) return;
    event.preventDefault();
    keys[key](event);
    if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) view.follow(player.time);
  });

  window.report = { page, player, view, timeline };  // for whoever wants to look closer
  player.load().then(() => { document.documentElement.dataset.ready = "yes"; }, (error) => {
    byId("clock").textContent = error.message;
    document.documentElement.dataset.ready = "failed";
  });
}
