"use strict";
(() => {
  const player = document.querySelector("[data-player]");
  if (!player) return;
  const lead = Number(document.querySelector("[data-lead]").dataset.lead);
  const lanes = document.querySelector("[data-lanes]");
  const head = document.querySelector("[data-head]");
  const state = document.querySelector("[data-state]");
  const length = Number(lanes.dataset.lanes);
  const clips = [...document.querySelectorAll("[data-from]")].map((each) =>
    ({ from: Number(each.dataset.from), to: Number(each.dataset.to), source: each.value }));
  let until = null, sought = null, clip = null;
  document.documentElement.classList.add("playable");

  // Seconds of the report begin with the film's first picture; the player's with whatever comes
  // first in its file, and a clip's with the clip.
  const shift = () => (clip ? -clip.from : lead);
  const now = () => player.currentTime - shift();
  const held = (each, start) => each && each.from - 0.05 <= start && start < each.to;
  const load = (start) => {
    if (!clips.length || held(clip, start)) return true;
    const other = clips.find((each) => held(each, start));
    if (other) { clip = other; player.src = other.source; }
    return Boolean(other);
  };
  const clock = (seconds) => {
    const whole = Math.max(0, Math.round(seconds)), pad = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return (hours ? `${hours}:${pad(minutes)}` : `${minutes}`) + `:${pad(whole % 60)}`;
  };

  const choose = (button) => {
    for (const card of document.querySelectorAll("[data-on]")) {
      delete card.dataset.on;
      card.removeAttribute("aria-current");
    }
    const card = button && button.closest("[data-card]");
    if (card) { card.dataset.on = ""; card.setAttribute("aria-current", "true"); }
  };
  const seek = (start) => {
    if (!load(start)) {
      state.textContent = `${clock(start)} is not carried here: of the film there are the moments alone.`;
      return false;
    }
    sought = Math.max(0, start + shift());
    player.currentTime = sought;
    return true;
  };
  const go = (start, end) => {
    until = null;
    if (!seek(start)) return;
    until = end;
    state.textContent = end === null ? `From ${clock(start)}.` : `${clock(start)} to ${clock(end)}.`;
    player.play().catch(() => {});
  };
  const draw = () => {
    head.hidden = false;
    head.style.left = `${Math.min(100, Math.max(0, 100 * now() / length))}%`;
  };
  const watch = () => {
    draw();
    if (until !== null && now() >= until - 0.01) {
      const end = until;
      until = null;
      player.pause();
      sought = end + shift();
      player.currentTime = sought;
      state.textContent = `Stopped at ${clock(end)}, the end of it.`;
    }
    if (!player.paused) requestAnimationFrame(watch);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-start]");
    if (!button) return;
    const end = button.dataset.end;
    choose(button);
    go(Number(button.dataset.start), end === undefined ? null : Number(end));
  });
  lanes.addEventListener("click", (event) => {
    const box = lanes.getBoundingClientRect();
    choose(null);
    until = null;
    if (seek(length * (event.clientX - box.left) / box.width)) draw();
  });
  player.addEventListener("play", () => requestAnimationFrame(watch));
  player.addEventListener("timeupdate", watch);
  player.addEventListener("seeking", () => {
    // Whoever moves the film himself wants to see on from there.
    if (sought === null || Math.abs(player.currentTime - sought) > 0.3) { until = null; choose(null); }
  });
  if (clips.length) load(clips[0].from);
  player.addEventListener("error", () => { document.querySelector("[data-broken]").hidden = false; });
})();
