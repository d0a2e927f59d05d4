'use strict';
const $ = (id) => document.getElementById(id);
const facts = JSON.parse($('facts').textContent);
const last = facts.frames - 1;
const late = new Set(facts.late);
const gutter = 40;
let frame = 0, speed = 1, isPlaying = false, clock = 0, before = 0;

function bytes(base64) {
  const text = atob(base64), array = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
  return array;
}

function element(tag, parent, text = '', className = '') {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  parent.append(made);
  return made;
}

const seconds = (t) => `${Math.floor(t / 60)}:${(t % 60).toFixed(2).padStart(5, '0')}`;

function number(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : '∞';
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(1);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

// What the episode is.
function describe() {
  $('dataset').textContent = facts.dataset;
  $('position').textContent = `Episode ${facts.number} of ${facts.count}`;
  $('task').textContent = facts.tasks.join(' · ') || 'No task';
  const isOff = facts.rate !== null && Math.abs(facts.rate / facts.fps - 1) > 0.01;
  const rate = `${facts.fps} Hz${isOff ? `, really ${facts.rate.toFixed(1)}` : ''}`;
  const rows = [['Length', `${(facts.frames / facts.fps).toFixed(1)} s`], ['Frames', facts.frames], ['Rate', rate]];
  if (facts.robot) rows.push(['Robot', facts.robot]);
  if (facts.rate !== null || facts.late.length) rows.push(['Late frames', facts.late.length || 'none', facts.late.length ? 'late' : '']);
  for (const camera of facts.cameras) {
    if (camera.repeated.length) rows.push([`Repeated by ${camera.name}`, camera.repeated.length, 'late']);
  }
  rows.push(['Format', facts.format]);
  for (const [name, value, className] of rows) {
    const row = element('div', $('summary'));
    element('dt', row, name);
    element('dd', row, String(value), className);
  }
}

// Cameras: all follow the first.
const videos = facts.cameras.map((camera, at) => {
  const figure = element('figure', $('cameras'));
  const video = element('video', figure);
  Object.assign(video, {muted: true, playsInline: true, preload: 'auto', width: camera.width, height: camera.height});
  video.setAttribute('aria-label', camera.name);
  video.src = URL.createObjectURL(new Blob([bytes($(`video-${at}`).textContent)], {type: 'video/mp4'}));
  video.addEventListener('click', toggle);
  video.addEventListener('seeked', () => { if (video.wanted !== undefined) seek(video, video.wanted); });
  video.addEventListener('error', () => {
    figure.classList.add('broken');
    figure.dataset.why = `This browser cannot play ${camera.codec}. Write the page again with --h264.`;
  });
  const caption = element('figcaption', figure, camera.name);
  const repeated = new Set(camera.repeated);
  const mark = element('i', caption);
  video.mark = () => { mark.textContent = repeated.has(frame) ? 'repeated' : ''; };
  $(`video-${at}`).remove();
  return video;
});
if (videos.length > 1) $('cameras').classList.add('many');
if (videos.length) document.querySelector('main').classList.add('both');

function seek(video, time) {
  if (video.seeking) { video.wanted = time; return; }
  video.wanted = undefined;
  if (Math.abs(video.currentTime - time) > 0.25 / facts.fps) video.currentTime = time;
}

// Curves.
const plots = facts.plots.map((plot) => {
  const card = element('article', $('plots'));
  const head = element('div', card, '', 'head');
  element('h2', head, plot.title).title = plot.title;
  const now = element('div', head, '', 'now');
  const box = element('div', card, '', 'plot');
  const canvas = element('canvas', box);
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${plot.title} over time`);
  const lines = plot.lines.map((line) => {
    const color = line.label === 'action' ? 'action' : 'state';
    const values = new Float32Array(bytes(line.values).buffer);
    const shown = element('span', now);
    shown.style.color = `var(--${color}-ink)`;
    shown.title = line.label + (plot.unit ? ` [${plot.unit}]` : '');
    return {values, color, shown};
  });
  const cursor = element('div', box, '', 'cursor');
  box.addEventListener('pointerdown', (event) => {
    box.setPointerCapture(event.pointerId);
    scrubTo(box, event);
    box.onpointermove = (moved) => scrubTo(box, moved);
  });
  for (const end of ['pointerup', 'pointercancel']) box.addEventListener(end, () => { box.onpointermove = null; });
  return {lines, box, canvas, cursor, range: extent(lines)};
});

function extent(lines) {
  let low = Infinity, high = -Infinity;
  for (const {values} of lines) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high && value < Infinity) high = value;
    }
  }
  if (!(low <= high)) return [-1, 1];
  const room = low === high ? Math.max(Math.abs(low) * 0.1, 1e-3) : (high - low) * 0.06;
  return [low - room, high + room];
}

function scrubTo(box, event) {
  const area = box.getBoundingClientRect();
  pause();
  go(Math.round((event.clientX - area.left - gutter) / (area.width - gutter - 4) * last));
}

const place = (at, width) => gutter + (last ? at / last : 0) * (width - gutter - 4);

function draw({lines, canvas, box, range}) {
  const style = getComputedStyle(document.documentElement), ink = (name) => style.getPropertyValue(`--${name}`);
  const width = box.clientWidth, height = box.clientHeight, scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  const [low, high] = range, y = (value) => height - 5 - (value - low) / (high - low) * (height - 10);
  pen.strokeStyle = ink('grid');
  pen.lineWidth = 1;
  pen.beginPath();
  for (const level of [5.5, Math.round(height / 2) + 0.5, height - 5.5]) { pen.moveTo(gutter, level); pen.lineTo(width - 4, level); }
  const step = [1, 2, 5, 10, 30, 60, 300].find((each) => facts.frames / facts.fps / each <= 8) || 600;
  for (let t = step; t * facts.fps < last; t += step) {
    const x = Math.round(place(t * facts.fps, width)) + 0.5;
    pen.moveTo(x, 5);
    pen.lineTo(x, height - 5);
  }
  pen.stroke();
  pen.fillStyle = ink('soft');
  pen.font = '10.5px system-ui, "DejaVu Sans", sans-serif';
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  pen.fillText(number(high - (high - low) * 0.054), gutter - 6, 9);
  pen.fillText(number(low + (high - low) * 0.054), gutter - 6, height - 9);
  pen.strokeStyle = ink('late');
  pen.globalAlpha = 0.45;
  pen.beginPath();
  for (const at of facts.late) { const x = place(at, width); pen.moveTo(x, 5); pen.lineTo(x, height - 5); }
  pen.stroke();
  pen.globalAlpha = 1;
  pen.lineJoin = 'round';
  pen.lineWidth = 1.6;
  for (const {values, color} of [...lines].reverse()) trace(pen, values, ink(color), width, y);
}

// Where there are many frames to a pixel, its lowest and its highest value are drawn.
function trace(pen, values, color, width, y) {
  pen.strokeStyle = color;
  pen.beginPath();
  const each = Math.max(1, Math.floor(values.length / (2 * width)));
  let isDown = false;
  for (let first = 0; first < values.length; first += each) {
    let low = first, high = first;
    for (let at = first; at < Math.min(first + each, values.length); at++) {
      if (values[at] < values[low]) low = at;
      if (values[at] > values[high]) high = at;
    }
    for (const at of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) {
      if (!Number.isFinite(values[at])) { isDown = false; continue; }
      if (isDown) pen.lineTo(place(at, width), y(values[at])); else pen.moveTo(place(at, width), y(values[at]));
      isDown = true;
    }
  }
  pen.stroke();
}

function legend() {
  const labels = new Set(facts.plots.flatMap((plot) => plot.lines.map((line) => line.label)));
  const rows = [...labels].filter((label) => label === 'state' || label === 'action').map((label) => [label, label, '']);
  const units = [...new Set(facts.plots.map((plot) => plot.unit).filter(Boolean))];
  if (facts.late.length) rows.push(['late frame', 'late', 'thin']);
  for (const [text, color, className] of rows) {
    const row = element('span', $('legend'));
    element('b', row, '', className).style.setProperty('--line', `var(--${color})`);
    row.append(text);
  }
  if (units.length === 1) element('span', $('legend'), `in ${units[0]}`);
  if (!rows.length && !units.length) $('legend').remove();
}

// One cursor for everything.
function show() {
  const at = seconds(frame / facts.fps), whole = seconds(last / facts.fps);
  $('time').replaceChildren();
  element('b', $('time'), at);
  element('span', $('time'), ` / ${whole} · `, 'whole');
  const rest = element('span', $('time'), `frame ${frame}`);
  if (late.has(frame)) element('em', rest, ' · late');
  $('scrub').value = frame;
  $('scrub').setAttribute('aria-valuetext', `${at}, frame ${frame} of ${last}`);
  $('scrub').style.setProperty('--done', `${last ? frame / last * 100 : 0}%`);
  for (const {lines, box, cursor} of plots) {
    cursor.style.transform = `translateX(${place(frame, box.clientWidth)}px)`;
    for (const {values, shown} of lines) shown.textContent = number(values[frame]);
  }
  for (const video of videos) video.mark();
}

function go(wanted) {
  frame = Math.max(0, Math.min(last, Math.round(wanted)));
  clock = frame / facts.fps;
  for (const video of videos) seek(video, (frame + 0.5) / facts.fps);
  show();
}

function pause() {
  if (!isPlaying) return;
  isPlaying = false;
  document.body.classList.remove('playing');
  $('play').setAttribute('aria-label', 'Play');
  for (const video of videos) video.pause();
  go(frame);
}

function toggle() {
  if (isPlaying) { pause(); return; }
  if (frame >= last) go(0);
  isPlaying = true;
  before = performance.now();
  document.body.classList.add('playing');
  $('play').setAttribute('aria-label', 'Pause');
  for (const video of videos) { video.playbackRate = speed; video.play().catch(() => {}); }
  requestAnimationFrame(tick);
}

function tick(now) {
  if (!isPlaying) return;
  const master = videos.find((video) => !video.error);
  clock = master ? master.currentTime : clock + Math.max(0, now - before) / 1000 * speed;
  before = now;
  for (const video of videos) {
    const isBehind = Math.abs(video.currentTime - clock) > 1.5 / facts.fps;
    if (video !== master && isBehind && !video.seeking && !video.ended) video.currentTime = clock;
  }
  const reached = Math.min(last, Math.floor(clock * facts.fps + 1e-3));
  if (reached !== frame) { frame = reached; show(); }
  if (master ? master.ended : clock * facts.fps >= last) { frame = last; pause(); return; }
  requestAnimationFrame(tick);
}

function setSpeed(value) {
  speed = value;
  $('speed').value = String(value);
  for (const video of videos) video.playbackRate = value;
}

function turn() {
  const root = document.documentElement, isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const now = root.dataset.theme || (isDark ? 'dark' : 'light');
  root.dataset.theme = now === 'dark' ? 'light' : 'dark';
  plots.forEach(draw);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === $('speed')) return;
  const far = event.shiftKey ? facts.fps : 1, speeds = [...$('speed').options].map((option) => Number(option.value));
  const faster = (by) => setSpeed(speeds[Math.max(0, Math.min(speeds.length - 1, speeds.indexOf(speed) + by))]);
  const keys = {
    ' ': toggle, k: toggle, t: turn, '[': () => faster(-1), ']': () => faster(1),
    ArrowLeft: () => { pause(); go(frame - far); }, ArrowRight: () => { pause(); go(frame + far); },
    Home: () => { pause(); go(0); }, End: () => { pause(); go(last); },
  };
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

describe();
legend();
$('scrub').max = last;
for (const at of facts.late) element('i', $('marks')).style.left = `${last ? at / last * 100 : 0}%`;
$('scrub').addEventListener('input', () => { pause(); go(Number($('scrub').value)); });
$('play').addEventListener('click', toggle);
$('back').addEventListener('click', () => { pause(); go(frame - 1); });
$('next').addEventListener('click', () => { pause(); go(frame + 1); });
$('speed').addEventListener('change', () => setSpeed(Number($('speed').value)));
$('theme').addEventListener('click', turn);
addEventListener('keydown', press);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plots.forEach(draw));
new ResizeObserver(() => { plots.forEach(draw); show(); }).observe($('plots'));
go(Number(new URLSearchParams(location.hash.slice(1)).get('frame')) || 0);
