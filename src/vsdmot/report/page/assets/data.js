// The numbers of the page, unpacked; see packing.py for their layout.

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

function unpack(text, Kind) {
  return text === null ? null : new Kind(bytesOf(text).buffer);
}

/** First position whose value is at least `value`, in rising values. */
function lowerBound(values, value, low = 0, high = values.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function clockText(seconds, tenths = true) {
  const sign = seconds < 0 ? "-" : "", rest = Math.round(Math.abs(seconds) * 10) / 10;
  const h = Math.floor(rest / 3600), m = Math.floor(rest / 60) % 60, s = rest % 60;
  const two = (x) => String(x).padStart(2, "0");
  return sign + (h ? `${h}:${two(m)}` : m) + ":" + s.toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
}

/** A video: which frames it shows and when. */
class Clip {
  constructor(raw, numFrames) {
    Object.assign(this, { name: raw.name, width: raw.width, height: raw.height });
    this.indices = unpack(raw.indices, Uint32Array);
    this.times = unpack(raw.times, Float64Array);
    this.rate = raw.frameRate;
    this.duration = this.times[this.times.length - 1] + 1 / this.rate;
    this.terms = raw.terms && Object.fromEntries(
      Object.entries(raw.terms).map(([name, text]) => [name, unpack(text, Float32Array)]));
    this.timeOfFrame = this.fillTimes(numFrames);
  }

  /** Times by frame index, also of frames that the video lacks: between their neighbours, or at the usual pace. */
  fillTimes(numFrames) {
    const times = new Float64Array(numFrames + 2), { indices } = this, last = indices.length - 1;
    for (let frame = 0, place = 0; frame < times.length; frame++) {
      while (place < last && indices[place + 1] <= frame) place++;
      const ahead = frame - indices[place];
      const pace = ahead > 0 && place < last
        ? (this.times[place + 1] - this.times[place]) / (indices[place + 1] - indices[place]) : 1 / this.rate;
      times[frame] = this.times[place] + ahead * pace;
    }
    return times;
  }

  /** Place of the frame that is shown at a time. */
  placeAt(time) {
    return Math.max(0, lowerBound(this.times, time + 1e-3) - 1);
  }

  /** A time in the middle of a frame, where rounding cannot show its neighbour. */
  middleOf(place) {
    const next = place + 1 < this.times.length ? this.times[place + 1] : this.duration;
    return (this.times[place] + next) / 2;
  }
}

/** A run: its tracks by frame and by life. */
class Run {
  constructor(raw, number, clips, numFrames) {
    Object.assign(this, { number, name: raw.name, ids: raw.ids, clip: clips[raw.video], video: raw.video });
    this.offsets = unpack(raw.offsets, Uint32Array);
    this.lives = unpack(raw.lives, Uint32Array);
    this.boxes = unpack(raw.boxes, Int16Array);
    this.scores = unpack(raw.scores, Uint8Array);
    this.weight = unpack(raw.weight, Float32Array);
    this.missed = unpack(raw.missed, Uint16Array);
    this.false = unpack(raw.false, Uint16Array);
    this.spans = unpack(raw.spans, Uint32Array);
    this.count = new Float32Array(numFrames);
    this.meanScore = new Float32Array(numFrames).fill(NaN);
    for (let frame = 1; frame <= numFrames; frame++) {
      const first = this.offsets[frame], end = this.offsets[frame + 1];
      this.count[frame - 1] = end - first;
      let sum = 0, known = 0;
      for (let row = first; this.scores && row < end; row++) {
        if (this.scores[row] < 255) { sum += this.scores[row] / 254; known++; }
      }
      if (known) this.meanScore[frame - 1] = sum / known;
    }
    this.spansOf = Array.from(this.ids, () => []);
    for (let i = 0; i < this.spans.length; i += 3) {
      this.spansOf[this.spans[i]].push([this.spans[i + 1], this.spans[i + 2]]);
    }
    this.events = this.listEvents(raw);
  }

  /** All events by time; `inside` says of a birth or loss whether it is away from the picture's edge. */
  listEvents(raw) {
    const events = [];
    const add = (kind, frame, text, more) =>
      events.push({ kind, frame, text, run: this, time: this.clip.timeOfFrame[frame], ...more });
    for (const [before, frame, person, old, id, isSwitch, isFragment] of raw.breaks) {
      const more = { id, old, before, person, inside: true };
      if (isSwitch) add("switch", frame, `ID switch ${old} to ${id}`, more);
      if (isFragment) add("fragment", frame, `fragment of ${id}`, more);
    }
    for (const [frame, id, inside] of raw.losses) add("loss", frame, `track ${id} ends`, { id, inside });
    for (const [frame, id, inside] of raw.births) add("birth", frame, `track ${id} begins`, { id, inside });
    return events.sort((a, b) => a.time - b.time);
  }
}

function readPage() {
  const element = document.getElementById("data"), raw = JSON.parse(element.textContent);
  element.remove();
  const clips = raw.videos.map((one) => new Clip(one, raw.numFrames));
  const runs = raw.runs.map((one, number) => new Run(one, number, clips, raw.numFrames));
  const truth = raw.truth && {
    offsets: unpack(raw.truth.offsets, Uint32Array), boxes: unpack(raw.truth.boxes, Int16Array),
  };
  return { ...raw, clips, runs, truth, duration: Math.max(...clips.map((clip) => clip.duration)) };
}
