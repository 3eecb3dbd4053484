// The faults that are ordered, and a way to order and call off more.
import * as api from './api.js';
import { word } from './words.js';

const kinds = [
  'throttled', 'error', 'server_error', 'bad_gateway', 'empty', 'hang', 'reset', 'lost_reply', 'slow', 'paced',
  'status_late', 'status_early', 'status_never', 'status_failed', 'status_reorder',
  'webhook_duplicate', 'webhook_late', 'webhook_never', 'webhook_reorder', 'webhook_batch', 'phone_missing',
  'media_gone', 'media_corrupt', 'media_expired',
  'token_temporary', 'permission_missing', 'number_flagged', 'app_unsubscribed', 'messages_unsubscribed', 'clock_skew',
];

const byId = (id) => document.getElementById(id);

const line = (fault, report) => {
  const item = document.createElement('li');
  const words = [fault.kind, fault.code, fault.method, fault.platform, fault.user].filter(Boolean).join(' ');
  const left = fault.count < 0 ? '∞' : '×' + fault.count;
  const off = document.createElement('button');
  off.type = 'button';
  off.className = 'link';
  off.append(word('callOff'));
  off.setAttribute('aria-label', word('callOff') + ': ' + words);
  off.onclick = () => api.removeFault(fault.id).then(show, report);
  item.append(words + ' ' + left + ' ', off);
  return item;
};

let known = '';

function show(list) {
  const now = JSON.stringify(list) + word('callOff');
  if (now === known) return;
  known = now;
  byId('faultCount').textContent = list.length ? '(' + list.length + ')' : '';
  byId('faults').classList.toggle('active', list.length > 0);
  byId('faultList').replaceChildren(...list.map((fault) => line(fault, () => {})));
}

export const refresh = () => api.faults().then(show, () => {});

// watch keeps the list fresh; report shows what goes wrong.
export function watch(platform, report) {
  byId('faultKind').replaceChildren(...kinds.map((kind) => new Option(kind)));
  const needsCode = () => { byId('faultCode').hidden = !['error', 'status_failed'].includes(byId('faultKind').value); };
  byId('faultKind').onchange = needsCode;
  needsCode();
  byId('faultForm').onsubmit = (event) => {
    event.preventDefault();
    const fault = { kind: byId('faultKind').value, count: Number(byId('faultTimes').value) || 1 };
    if (!byId('faultCode').hidden) Object.assign(fault, { code: Number(byId('faultCode').value), platform: platform() });
    api.addFault(fault).then(refresh, report);
  };
  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, 3000);
}
