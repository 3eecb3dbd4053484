// The phone: which chat is shown, what is in it, and what its customer does.
import * as actions from './actions.js';
import * as api from './api.js';
import { bubble, dots } from './bubble.js';
import * as faults from './faults.js';
import * as sheet from './sheet.js';
import { switchLanguage, translate, word } from './words.js';

const byId = (id) => document.getElementById(id);
const list = byId('messages');
const state = { chat: null, all: new Map(), draft: null, until: 0, timer: 0, keyboard: null, source: null, online: true };

const platform = () => document.querySelector('input[name=platform]:checked').value;
const where = () => (platform() === 'telegram' ? byId('where').value : 'private');

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

const act = {
  press, say, report: notice, platform, where,
  choose: (message) => sheet.open(message.menu, message.buttons.flat().map((button) => (
    { label: button.text, note: button.description, run: () => press(message, button) }))),
  more: (message) => actions.more(message, state.chat, (utterance) => attempt(say(utterance))),
  quoted: (id) => state.all.get(id),
  moved: (info) => { remember('user', info.user); byId('user').value = info.user; return openChat(); },
  migrated: (_, id) => { remember('group', id); return openChat(); },
};

function render() {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const shown = [...state.all.values()].sort((a, b) => a.seq - b.seq);
  list.replaceChildren(...shown.map((message) => bubble(message, act)));
  const typing = state.until > Date.now();
  const draft = state.draft && new Date(state.draft.until) > Date.now() ? state.draft : null;
  if (typing || draft) list.append(dots(draft, () => attempt(say({ kind: 'stop' }))));
  if (atEnd) list.scrollTop = list.scrollHeight;
  byId('presence').textContent = !state.online ? word('lost') : !state.chat ? word('none') : typing ? word('typing') : word('online');
  renderKeyboard();
}

// renderKeyboard shows Telegram's reply keyboard below the text.
function renderKeyboard() {
  const box = byId('keyboard');
  box.hidden = !state.keyboard;
  if (!state.keyboard) return;
  box.replaceChildren(...state.keyboard.keyboard.map((row) => {
    const line = document.createElement('div');
    line.className = 'row';
    line.append(...row.map((button) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.append(button.text);
      made.onclick = () => press(state.keyboard, { data: button.text });
      return made;
    }));
    return line;
  }));
}

function wake(time) {
  clearTimeout(state.timer);
  const left = time - Date.now();
  if (left > 0) state.timer = setTimeout(render, Math.min(left, 60000) + 50);
}

function typingUntil(time) {
  state.until = new Date(time).getTime() || 0;
  wake(state.until);
}

function notice(text) {
  const box = byId('notice');
  box.textContent = text;
  box.hidden = !text;
  clearTimeout(box.timer);
  box.timer = setTimeout(() => { box.hidden = true; }, 5000);
}

function handle(event) {
  const { message } = event;
  if (message) state.all.set(message.id, message);
  if (event.type === 'message' && message.direction === 'out') {
    typingUntil(0);
    state.draft = null;
    if (message.keyboard) state.keyboard = message;
    else if (message.request?.reply_markup?.remove_keyboard) state.keyboard = null;
  } else if (event.type === 'typing') {
    typingUntil(event.until);
  } else if (event.type === 'draft') {
    state.draft = event.draft;
    wake(new Date(event.until).getTime());
  } else if (event.type === 'notice' && event.text) {
    notice(event.text);
  }
  render();
}

const attempt = (action) => action.catch((error) => notice(error.message));

async function press(message, button) {
  if (button.url) {
    if (/^https?:/i.test(button.url)) window.open(button.url, '_blank', 'noopener');
    return;
  }
  await attempt(api.press(state.chat, message.id, button.data));
}

// theChat is the chat that the panel chooses.
function theChat() {
  const account = byId('account').value;
  const user = byId('user').value.trim().replace(/^\+/, '');
  if (!account || !user) return null;
  const name = { private: user, group: remembered('group', () => '-1001234567890'), business: 'bc_1:' + user }[where()];
  return { platform: platform(), account, user: name };
}

async function openChat() {
  state.source?.close();
  state.all.clear();
  Object.assign(state, { draft: null, keyboard: null, chat: theChat() });
  typingUntil(0);
  actions.forget();
  byId('title').textContent = byId('account').selectedOptions[0]?.textContent || 'KnoBot';
  byId('send').disabled = byId('attach').disabled = !state.chat;
  if (state.chat) {
    const chat = state.chat;
    state.source = api.follow(chat, handle, (online) => { state.online = online; render(); });
    const [info] = await api.chats(chat);
    byId('open').checked = info ? info.phone_open : true;
    byId('blocked').checked = Boolean(info && info.blocked);
    byId('hidden').checked = Boolean(info && info.hide_phone);
    for (const message of await api.messages(chat)) if (chat === state.chat && !state.all.has(message.id)) state.all.set(message.id, message);
    if (info?.keyboard) state.keyboard = [...state.all.values()].filter((message) => message.keyboard).at(-1) || null;
    if (info?.draft) state.draft = info.draft;
  }
  render();
  list.scrollTop = list.scrollHeight;
}

async function choosePlatform() {
  document.body.dataset.platform = platform();
  localStorage.setItem('platform', platform());
  const accounts = await api.accounts();
  const options = platform() === 'whatsapp'
    ? accounts.numbers.map((n) => [n.id, '+' + n.display_phone])
    : accounts.bots.map((b) => [b.id, '@' + b.username]);
  byId('account').replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  byId('customer').value = remembered('customer', () => 'Ana Gómez');
  byId('user').value = remembered('user', randomUser);
  await openChat();
}

const who = () => ({
  platform: state.chat.platform, account: state.chat.account, from: byId('user').value.trim().replace(/^\+/, ''),
  name: byId('customer').value.trim() || 'Cliente', language: 'es', hide_phone: byId('hidden').checked && platform() === 'whatsapp',
  group: where() === 'group' ? { id: state.chat.user, title: 'Clientes' } : undefined,
  business: where() === 'business' ? 'bc_1' : undefined,
});

async function say(utterance) {
  const said = await api.say({ ...who(), ...utterance });
  list.scrollTop = list.scrollHeight;
  return said;
}

async function send() {
  const text = byId('text').value;
  if (!text.trim() || !state.chat) return;
  byId('text').value = '';
  await attempt(say(actions.compose(text)));
}

const remember = (name, value) => localStorage.setItem(platform() + '.' + name, value);

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
for (const id of ['account', 'where']) byId(id).onchange = () => attempt(openChat());
byId('customer').onchange = () => remember('customer', byId('customer').value);
byId('user').onchange = () => {
  remember('user', byId('user').value);
  attempt(openChat());
};
byId('open').onchange = () => change({ phone_open: byId('open').checked });
byId('blocked').onchange = () => change({ blocked: byId('blocked').checked });
byId('hidden').onchange = () => { if (state.all.size) change({ hide_phone: byId('hidden').checked }); };
byId('language').onclick = () => { switchLanguage(); language(); };
byId('attach').onclick = () => actions.attach(state.chat, act);
byId('aboutOff').onclick = actions.forget;
byId('form').onsubmit = (event) => { event.preventDefault(); send(); };
byId('text').onkeydown = (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
};
// On a narrow screen the phone comes first.
byId('settings').open = !matchMedia('(max-width: 46rem)').matches;
language();
faults.watch(platform, (error) => notice(error.message));
attempt(choosePlatform());
