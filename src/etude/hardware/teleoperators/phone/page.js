// Sends what is pressed, and where the phone is, to the program that drives the arm.
'use strict';

const EVERY_MS = 50, AGAIN_MS = 1000, TAKEN_OVER = 4000;
const status = document.getElementById('status');
const move = document.getElementById('move');
const start = document.getElementById('start');
const held = new Map(); // pointer or key -> button
let socket = null, isMoving = false;

function say(text) { status.textContent = text; }

function connect() {
  const address = new URL('ws' + location.search, location.href);
  address.protocol = 'wss:';
  socket = new WebSocket(address);
  socket.onopen = () => say('Connected.');
  socket.onclose = (event) => {
    if (event.code === TAKEN_OVER) return say('Another phone took over.');
    say('The connection is lost: the arm holds still. Trying again …');
    setTimeout(connect, AGAIN_MS);
  };
}

function send(type, data) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({type, data}));
}

function pushes() {
  const sum = {};
  for (const button of held.values()) {
    const {axis, push} = button.dataset;
    if (axis) sum[axis] = Math.max(-1, Math.min(1, (sum[axis] || 0) + Number(push)));
  }
  return sum;
}

function press(by, button) {
  held.set(by, button);
  button.classList.add('held');
  update();
}

function release(by) {
  const button = held.get(by);
  held.delete(by);
  if (button && ![...held.values()].includes(button)) button.classList.remove('held');
  update();
}

function releaseAll() { for (const by of [...held.keys()]) release(by); }

function update() {
  isMoving = [...held.values()].includes(move);
  send('push', pushes());
}

for (const button of document.querySelectorAll('button[data-axis], #move')) {
  button.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    button.setPointerCapture(event.pointerId);
    press(event.pointerId, button);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
    button.addEventListener(end, (event) => release(event.pointerId));
  }
  button.addEventListener('keydown', (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (!event.repeat) press(event.code, button);
  });
  button.addEventListener('keyup', (event) => release(event.code));
  button.addEventListener('contextmenu', (event) => event.preventDefault());
}
addEventListener('blur', releaseAll);
document.addEventListener('visibilitychange', () => { if (document.hidden) releaseAll(); });
setInterval(() => send('push', pushes()), EVERY_MS);

async function track() {
  const overlay = document.getElementById('overlay');
  let session;
  try {
    session = await navigator.xr.requestSession('immersive-ar', {optionalFeatures: ['dom-overlay'], domOverlay: {root: overlay}});
  } catch (error) {
    return say('Motion tracking did not start (' + error.message + '). The pads work without it.');
  }
  const gl = document.createElement('canvas').getContext('webgl', {xrCompatible: true});
  session.updateRenderState({baseLayer: new XRWebGLLayer(session, gl)});
  const space = await session.requestReferenceSpace('local');
  start.hidden = true;
  move.hidden = false;
  session.addEventListener('end', () => { start.hidden = false; move.hidden = true; releaseAll(); });
  overlay.addEventListener('beforexrselect', (event) => event.preventDefault());
  session.requestAnimationFrame(function frame(_, now) {
    session.requestAnimationFrame(frame);
    const pose = now.getViewerPose(space);
    if (!pose || pose.emulatedPosition) return;
    const {position: p, orientation: o} = pose.transform;
    send('pose', {position: {x: p.x, y: p.y, z: p.z}, orientation: {w: o.w, x: o.x, y: o.y, z: o.z}, move: isMoving});
  });
}

async function offerTracking() {
  const canTrack = navigator.xr && await navigator.xr.isSessionSupported('immersive-ar').catch(() => false);
  document.getElementById('tracking').hidden = !canTrack;
  start.addEventListener('click', track);
}

connect();
offerTracking();
