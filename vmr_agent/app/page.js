// Plays moments: a click on anything with data-start and data-end, and the film stops at its end.
(() => {
  let until = null, ours = false, playing = null;
  const film = () => document.querySelector("#vmr-player video");
  const all = (what) => document.querySelectorAll(what);

  const mark = (start) => {
    playing = start;
    for (const each of all("[data-start]")) each.classList.toggle("vmr-on", each.dataset.start === start);
  };

  const play = (button) => {
    const video = film();
    if (!video) return;
    ours = true;
    video.currentTime = Number(button.dataset.start);
    until = Number(button.dataset.end);
    mark(button.dataset.start);
    video.play().catch(() => {});  // it says itself what it cannot play
    const box = video.getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight) video.scrollIntoView({ block: "start" });
  };

  const seek = (track, x) => {
    const video = film(), line = track.closest("[data-duration]"), box = track.getBoundingClientRect();
    if (!video || !line || !box.width) return;
    until = null;
    mark(null);
    video.currentTime = Math.max(0, Math.min(1, (x - box.left) / box.width)) * Number(line.dataset.duration);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-start][data-end]");
    if (button) return play(button);
    const track = event.target.closest?.(".vmr-track");
    if (track) seek(track, event.clientX);
  });

  // Whoever moves elsewhere in the film is not stopped there.
  document.addEventListener("seeking", (event) => {
    if (event.target !== film()) return;
    if (!ours) { until = null; mark(null); }
  }, true);
  document.addEventListener("seeked", (event) => { if (event.target === film()) ours = false; }, true);
  document.addEventListener("error", (event) => {
    if (event.target !== film()) return;
    const told = document.querySelector(".vmr-unplayable");
    if (told) told.hidden = false;
  }, true);

  const tick = () => {
    const video = film(), line = document.querySelector("[data-duration]");
    if (video && until !== null && !ours && video.currentTime >= until) {
      video.pause();
      until = null;
      mark(null);
    }
    if (video && line) line.style.setProperty("--at", `${(100 * video.currentTime) / Number(line.dataset.duration)}%`);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);

  // Screen readers hear what changes in a part that was there before.
  const announce = () => {
    const status = document.querySelector("#vmr-status");
    if (!status) return setTimeout(announce, 200);
    status.setAttribute("role", "status");
    status.setAttribute("aria-live", "polite");
  };
  announce();
})();
