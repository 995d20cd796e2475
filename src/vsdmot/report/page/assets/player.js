// The videos: one hidden element for each, all on one clock, which is that of the longest.

class Player {
  constructor(page) {
    this.page = page;
    this.clips = page.clips;
    this.master = this.clips.reduce((a, b) => (b.duration > a.duration ? b : a));
    this.time = 0;
    this.listeners = [];
    this.ready = false;
  }

  /** Turn the text of the page into videos, a chunk at a time so that the page stays alive. */
  async load() {
    for (const [number, clip] of this.clips.entries()) {
      const chunks = [];
      for (const element of document.querySelectorAll(`script[data-video="${number}"]`)) {
        chunks.push(bytesOf(element.textContent));
        element.remove();
        await new Promise((go) => setTimeout(go));
      }
      const video = document.createElement("video");
      Object.assign(video, { muted: true, playsInline: true, preload: "auto", tabIndex: -1 });
      video.src = URL.createObjectURL(new Blob(chunks, { type: "video/mp4" }));
      document.getElementById("films").append(video);
      clip.video = video;
      clip.place = 0;
      clip.wanted = null;
      video.addEventListener("seeked", () => this.seeked(clip));
      if (video.requestVideoFrameCallback) this.watch(clip);
      await new Promise((go, fail) => {
        video.addEventListener("loadedmetadata", go, { once: true });  // telephones load no picture before a jump
        video.addEventListener("error", () => fail(new Error(`the video ${clip.name} cannot be played here`)));
      });
    }
    this.master.video.addEventListener("ended", () => this.pause());
    this.ready = true;
    this.seek(0);
  }

  /** Learn of each frame when it is shown, which is exact where the element's clock is not. */
  watch(clip) {
    const shown = (_, { mediaTime }) => {
      if (!clip.video.paused) clip.place = clip.placeAt(mediaTime);
      clip.video.requestVideoFrameCallback(shown);
    };
    clip.video.requestVideoFrameCallback(shown);
  }

  get playing() {
    return this.ready && !this.master.video.paused;
  }

  play() {
    if (!this.ready) return;
    if (this.time >= this.master.times[this.master.times.length - 1]) this.seek(0);
    for (const clip of this.clips) {
      if (this.time < clip.duration) clip.video.play().catch(() => this.tell());
    }
    requestAnimationFrame(() => this.tick());
    this.tell();
  }

  pause() {
    for (const clip of this.clips) clip.video.pause();
    this.seek(this.master.times[this.master.place]);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  speed(rate) {
    for (const clip of this.clips) clip.video.playbackRate = rate;
  }

  /** Show the frame of a time; while a jump is under way only the newest wish is kept. */
  seek(time) {
    if (!this.ready) return;
    this.time = Math.min(Math.max(time, 0), this.master.times[this.master.times.length - 1]);
    for (const clip of this.clips) {
      clip.wanted = clip.placeAt(this.time);
      if (!clip.video.seeking) this.jump(clip);
    }
    this.tell();
  }

  jump(clip) {
    clip.place = clip.wanted;
    clip.wanted = null;
    clip.video.currentTime = clip.middleOf(clip.place);
  }

  seeked(clip) {
    if (clip.wanted !== null && clip.wanted !== clip.place) this.jump(clip);
    this.tell();
  }

  /** Go some frames of the master on. */
  step(frames) {
    if (this.playing) this.pause();
    const { times } = this.master;
    const place = Math.min(Math.max(this.master.placeAt(this.time) + frames, 0), times.length - 1);
    this.seek(times[place]);
  }

  tick() {
    if (!this.playing) return;
    for (const clip of this.clips) {
      if (!clip.video.requestVideoFrameCallback) clip.place = clip.placeAt(clip.video.currentTime);
      const late = this.master.video.currentTime - clip.video.currentTime;
      if (clip !== this.master && Math.abs(late) > 0.1 && !clip.video.seeking && !clip.video.ended) {
        clip.video.currentTime = Math.min(this.master.video.currentTime, clip.duration - 1e-3);
      }
    }
    if (!this.master.video.seeking) this.time = this.master.times[this.master.place];
    this.tell();
    requestAnimationFrame(() => this.tick());
  }

  tell() {
    for (const listener of this.listeners) listener();
  }
}
