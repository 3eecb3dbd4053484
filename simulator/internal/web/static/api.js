// The simulator's HTTP API, as far as the page needs it.
const base = '/simulator/v1';

async function call(method, path, body) {
  const response = await fetch(base + path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer;
}

const path = (chat) => '/chats/' + [chat.platform, chat.account, chat.user].map(encodeURIComponent).join('/');

export const accounts = () => call('GET', '/accounts');
export const chats = (query) => call('GET', '/chats?' + new URLSearchParams(query));
export const messages = (chat) => call('GET', path(chat) + '/messages');
export const say = (utterance) => call('POST', '/messages', utterance);
export const press = (chat, message, data) => call('POST', '/presses', { ...chat, message, data });
export const phone = (chat, change) => call('PATCH', path(chat), change);
export const move = (chat, change) => call('POST', '/moves', { ...chat, ...change });
export const faults = () => call('GET', '/faults');
export const addFault = (fault) => call('POST', '/faults', fault);
export const removeFault = (id) => call('DELETE', '/faults/' + id);
export const mediaURL = (id) => base + '/media/' + encodeURIComponent(id);

export async function upload(file) {
  const response = await fetch(base + '/media?' + new URLSearchParams({ filename: file.name }), {
    method: 'POST', headers: { 'Content-Type': file.type || 'application/octet-stream' }, body: file,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export function follow(chat, handle, state) {
  const source = new EventSource(base + '/events?' + new URLSearchParams(chat));
  for (const type of ['message', 'update', 'typing', 'draft', 'notice']) {
    source.addEventListener(type, (event) => handle(JSON.parse(event.data)));
  }
  source.onopen = () => state(true);
  source.onerror = () => state(false);
  return source;
}
