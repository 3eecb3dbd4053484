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

const attachment = (media) => {
  if (media.id && (media.mime_type || '').startsWith('image/')) {
    const image = node('img', '');
    image.src = mediaURL(media.id);
    image.alt = media.filename || word('file');
    return image;
  }
  if (media.id && (media.mime_type || '').startsWith('audio/')) {
    const audio = node('audio', '');
    audio.controls = true;
    audio.src = mediaURL(media.id);
    return audio;
  }
  return node('div', 'kind', '📄 ' + (media.filename || media.link || word('file')));
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

// bubble builds a message; act has press(message, button), choose(message) and
// quoted(id).
export function bubble(message, act) {
  const mine = message.direction === 'in';
  const inside = node('div', 'bubble');
  const quoted = message.reply_to && act.quoted(message.reply_to);
  if (quoted) inside.append(node('div', 'quote', quoted.text || quoted.kind));
  if (message.media) inside.append(attachment(message.media));
  if (message.text) {
    inside.append(...(message.platform === 'telegram' ? telegram(message.text, message.entities) : whatsapp(message.text)));
  } else if (!message.media) {
    inside.append(node('span', 'kind', message.kind));
  }
  const time = new Date(message.time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const meta = node('div', 'meta', (message.edit_time ? word('edited') + ' ' : '') + time + ' ');
  if (mine || message.state === 'failed') meta.append(ticks(message.state));
  inside.append(meta);
  const item = node('li', mine ? 'message mine' : 'message', inside);
  if (message.reactions) item.append(node('div', 'reactions', message.reactions.join(' ')));
  if (message.buttons) item.append(buttons(message, act));
  return item;
}

// dots is the indicator of somebody who types, or a draft as far as it got.
export function dots(text) {
  const inside = text
    ? node('div', 'bubble kind', text)
    : node('div', 'bubble typing', node('span', ''), node('span', ''), node('span', ''));
  return node('li', 'message', inside);
}
