// The phone: which chat is shown, what is in it, and what its customer does.
import * as api from './api.js';
import { bubble, dots } from './bubble.js';
import { switchLanguage, translate, word } from './words.js';

const byId = (id) => document.getElementById(id);
const list = byId('messages');
const state = { chat: null, all: new Map(), accounts: { numbers: [], bots: [] }, draft: '', until: 0, timer: 0, source: null, online: true };

const platform = () => document.querySelector('input[name=platform]:checked').value;

// Each platform remembers its customer.
const remembered = (name, fallback) => {
  const key = platform() + '.' + name;
  const value = localStorage.getItem(key) || fallback();
  localStorage.setItem(key, value);
  return value;
};
const randomUser = () => {
  const digits = String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(10, '0').slice(-7);
  return (platform() === 'whatsapp' ? '57300' : '8') + digits;
};

function render() {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const act = { press, choose, quoted: (id) => state.all.get(id) };
  const shown = [...state.all.values()].sort((a, b) => a.seq - b.seq);
  list.replaceChildren(...shown.map((message) => bubble(message, act)));
  const typing = state.until > Date.now();
  if (typing || state.draft) list.append(dots(state.draft));
  if (atEnd) list.scrollTop = list.scrollHeight;
  byId('presence').textContent = !state.online ? word('lost') : !state.chat ? word('none') : typing ? word('typing') : word('online');
}

function typingUntil(time) {
  state.until = new Date(time).getTime() || 0;
  clearTimeout(state.timer);
  const left = state.until - Date.now();
  if (left > 0) state.timer = setTimeout(render, Math.min(left, 60000) + 50);
}

function notice(text) {
  const box = byId('notice');
  box.textContent = text;
  box.hidden = !text;
  clearTimeout(box.timer);
  box.timer = setTimeout(() => { box.hidden = true; }, 5000);
}

function handle(event) {
  if (event.type === 'message' || event.type === 'update') {
    state.all.set(event.message.id, event.message);
    if (event.type === 'message' && event.message.direction === 'out') {
      typingUntil(0);
      state.draft = '';
    }
  } else if (event.type === 'typing') {
    typingUntil(event.until);
  } else if (event.type === 'draft') {
    state.draft = event.text || word('draft');
  } else if (event.type === 'notice' && event.text) {
    notice(event.text);
  }
  render();
}

const attempt = (action) => action.catch((error) => notice(error.message));

async function press(message, button) {
  byId('menu').hidden = true;
  if (button.url) {
    if (/^https?:/i.test(button.url)) window.open(button.url, '_blank', 'noopener');
    return;
  }
  await attempt(api.press(state.chat, message.id, button.data));
}

// choose opens a WhatsApp list.
function choose(message) {
  const menu = byId('menu');
  const entries = message.buttons.flat().map((button) => {
    const entry = document.createElement('button');
    entry.type = 'button';
    entry.append(button.text);
    if (button.description) {
      const small = document.createElement('small');
      small.append(button.description);
      entry.append(small);
    }
    entry.onclick = () => press(message, button);
    return entry;
  });
  const close = document.createElement('button');
  close.type = 'button';
  close.append(word('close'));
  close.onclick = () => { menu.hidden = true; };
  menu.replaceChildren(...entries, close);
  menu.hidden = false;
  menu.firstChild.focus();
}

async function openChat() {
  state.source?.close();
  state.all.clear();
  state.draft = '';
  typingUntil(0);
  const account = byId('account').value;
  const user = byId('user').value.replace(/\D/g, '');
  state.chat = account && user ? { platform: platform(), account, user } : null;
  byId('title').textContent = byId('account').selectedOptions[0]?.textContent || 'KnoBot';
  byId('send').disabled = !state.chat;
  if (state.chat) {
    const chat = state.chat;
    state.source = api.follow(chat, handle, (online) => { state.online = online; render(); });
    const [info] = await api.chats(chat);
    byId('open').checked = info ? info.phone_open : true;
    byId('blocked').checked = Boolean(info && info.blocked);
    for (const message of await api.messages(chat)) if (chat === state.chat && !state.all.has(message.id)) state.all.set(message.id, message);
  }
  render();
  list.scrollTop = list.scrollHeight;
}

async function choosePlatform() {
  document.body.dataset.platform = platform();
  localStorage.setItem('platform', platform());
  state.accounts = await api.accounts();
  const options = platform() === 'whatsapp'
    ? state.accounts.numbers.map((n) => [n.id, '+' + n.display_phone])
    : state.accounts.bots.map((b) => [b.id, '@' + b.username]);
  byId('account').replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  byId('customer').value = remembered('customer', () => 'Ana Gómez');
  byId('user').value = remembered('user', randomUser);
  await openChat();
}

const who = () => ({
  platform: state.chat.platform, account: state.chat.account, from: state.chat.user,
  name: byId('customer').value.trim() || 'Cliente', language: 'es',
});

async function send() {
  const text = byId('text').value;
  if (!text.trim() || !state.chat) return;
  byId('text').value = '';
  await attempt(api.say({ ...who(), text }));
  list.scrollTop = list.scrollHeight;
}

async function sendFile(file) {
  const kinds = { image: 'image', audio: 'voice', video: 'video' };
  const kind = kinds[(file.type || '').split('/')[0]] || 'document';
  const media = await api.upload(file);
  await api.say({ ...who(), kind, media: media.id, text: byId('text').value });
  byId('text').value = '';
}

function change(patch) {
  if (state.chat) attempt(api.phone(state.chat, patch));
}

function language() {
  translate(document);
  byId('text').placeholder = word('write');
  byId('text').setAttribute('aria-label', word('write'));
  byId('language').textContent = word('other');
  render();
}

for (const radio of document.querySelectorAll('input[name=platform]')) {
  radio.checked = radio.value === (localStorage.getItem('platform') || 'whatsapp');
  radio.onchange = () => attempt(choosePlatform());
}
byId('account').onchange = () => attempt(openChat());
byId('customer').onchange = () => localStorage.setItem(platform() + '.customer', byId('customer').value);
byId('user').onchange = () => {
  localStorage.setItem(platform() + '.user', byId('user').value);
  attempt(openChat());
};
byId('open').onchange = () => change({ phone_open: byId('open').checked });
byId('blocked').onchange = () => change({ blocked: byId('blocked').checked });
byId('language').onclick = () => { switchLanguage(); language(); };
byId('form').onsubmit = (event) => { event.preventDefault(); send(); };
byId('text').onkeydown = (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
};
byId('file').onchange = () => {
  const [file] = byId('file').files;
  if (file && state.chat) attempt(sendFile(file));
  byId('file').value = '';
};
language();
attempt(choosePlatform());
