// One message as a bubble.
import { telegram, whatsapp } from './format.js';
import { mediaURL } from './api.js';
import { word } from './words.js';

const node = (tag, className, ...children) => {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
};

const ticks = (state) => {
  if (state === 'failed') return node('span', 'failed', '⚠ ' + word('failed'));
  if (state === 'read') return node('span', 'ticks read', '✓✓');
  return node('span', 'ticks', state === 'delivered' ? '✓✓' : '✓');
};

const player = (tag, media) => {
  const made = node(tag, '');
  made.controls = true;
  made.preload = 'metadata';
  made.src = mediaURL(media.id);
  made.setAttribute('aria-label', media.filename || word('file'));
  return made;
};

const attachment = (message) => {
  const { media, kind } = message;
  const type = (media.mime_type || '').split('/')[0];
  if (media.id && type === 'image') {
    const image = node('img', kind === 'sticker' ? 'sticker' : '');
    image.src = mediaURL(media.id);
    image.alt = media.filename || word('file');
    return image;
  }
  if (media.id && (type === 'audio' || type === 'video')) return player(type, media);
  const line = node('div', 'kind', '📄 ' + (media.filename || media.link || word('file')));
  if (media.id) {
    const link = node('a', 'kind', line.textContent);
    link.href = mediaURL(media.id);
    link.target = '_blank';
    link.rel = 'noopener';
    return link;
  }
  return line;
};

const buttons = (message, act) => {
  const all = node('div', 'buttons');
  const make = (button) => {
    const made = node('button', '', button.text);
    made.type = 'button';
    made.onclick = () => act.press(message, button);
    return made;
  };
  if (message.menu) {
    const opener = node('button', '', '☰ ' + message.menu);
    opener.type = 'button';
    opener.onclick = () => act.choose(message);
    all.append(opener);
    return all;
  }
  for (const row of message.buttons) all.append(node('div', 'row', ...row.map(make)));
  return all;
};

// over is what stands above the words of a message.
const over = (message, act) => {
  const parts = [];
  const { author } = message;
  if (author) parts.push(node('div', 'author', author.staff ? '🏪 ' + word('staffMark') : author.name || author.id));
  if (message.forwarded) parts.push(node('div', 'kind', '↪ ' + word('forwardedMark')));
  const quoted = message.reply_to && act.quoted(message.reply_to);
  if (quoted) parts.push(node('div', 'quote', message.quote || quoted.text || quoted.detail || quoted.kind));
  if (message.media) parts.push(attachment(message));
  if (message.detail) parts.push(node('div', 'detail', node('span', 'kind', message.kind + ' '), message.detail));
  return parts;
};

const words = (message) => {
  if (message.deleted) return [node('span', 'kind', '🚫 ' + word('deleted'))];
  if (message.text) return message.platform === 'telegram' ? telegram(message.text, message.entities) : whatsapp(message.text);
  return message.media || message.detail ? [] : [node('span', 'kind', message.kind)];
};

// bubble builds a message; act has press(message, button), choose(message),
// more(message) and quoted(id).
export function bubble(message, act) {
  const mine = message.direction === 'in';
  const inside = node('div', 'bubble');
  if (!message.deleted) inside.append(...over(message, act));
  inside.append(...words(message));
  const time = new Date(message.time).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
  const meta = node('div', 'meta', (message.edit_time ? word('edited') + ' ' : '') + time + ' ');
  if (mine || message.state === 'failed') meta.append(ticks(message.state));
  const more = node('button', 'more', '⋯');
  more.type = 'button';
  more.setAttribute('aria-label', word('actions'));
  more.onclick = () => act.more(message);
  meta.append(more);
  inside.append(meta);
  const item = node('li', mine ? 'message mine' : 'message', inside);
  const reactions = [...(message.reactions || []), message.reaction].filter(Boolean);
  if (reactions.length) item.append(node('div', 'reactions', reactions.join(' ')));
  if (message.buttons) item.append(buttons(message, act));
  return item;
}

// dots is the indicator of somebody who types, or a draft as far as it got.
export function dots(draft, stop) {
  if (!draft) return node('li', 'message', node('div', 'bubble typing', node('span', ''), node('span', ''), node('span', '')));
  const item = node('li', 'message', node('div', 'bubble kind draft', draft.text || word('draft')));
  if (draft.stoppable) {
    const button = node('button', 'stop', word('stop'));
    button.type = 'button';
    button.onclick = stop;
    item.append(button);
  }
  return item;
}
