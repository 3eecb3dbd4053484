// What the customer does besides writing: files, places, reactions, edits, new
// numbers.
import * as api from './api.js';
import { choices, emojis } from './attach.js';
import { open } from './sheet.js';
import { word } from './words.js';

const byId = (id) => document.getElementById(id);

// about is the message that the next text replies to or edits.
let about = null;

function setAbout(next) {
  about = next;
  byId('about').hidden = !about;
  byId('aboutText').textContent = about ? word(about.edit ? 'editing' : 'replying') + ' ' + (about.message.text || about.message.detail || about.message.kind) : '';
  if (about?.edit) byId('text').value = about.message.text || '';
  if (about) byId('text').focus();
}

export const forget = () => setAbout(null);

// compose is the utterance that a text makes now.
export function compose(text) {
  const made = about?.edit ? { kind: 'edit', target: about.message.id, text } : { text, reply_to: about?.message.id };
  forget();
  return made;
}

// actions lists what can be done with a message.
function actionsOf(message, chat, say) {
  const mine = message.direction === 'in';
  const react = (emoji) => () => say({ kind: 'reaction', target: message.id, emoji });
  const list = [
    { label: word('reply'), run: () => setAbout({ message }) },
    ...emojis.map((emoji) => ({ label: emoji, run: react(emoji) })),
  ];
  if (message.reaction) list.push({ label: word('unreact'), run: react('') });
  if (mine && !message.deleted) {
    if (message.text) list.push({ label: word('edit'), run: () => setAbout({ message, edit: true }) });
    list.push({ label: word('revoke'), run: () => say({ kind: 'revoke', target: message.id }) });
  }
  return list;
}

export function more(message, chat, say) {
  open(word('actions'), actionsOf(message, chat, say));
}

const digits = () => String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(10, '0');

// attach opens the sheet of everything that can be sent. act has say(utterance),
// moved(info), report(text) and where().
export function attach(chat, act) {
  const written = () => byId('text').value.trim();
  const run = (choice) => async () => {
    if (choice.file) return pick(choice.file, act);
    if (choice.say) return act.say(choice.say);
    if (choice.move) {
      const change = choice.move === 'phone' ? { phone: '57300' + digits().slice(-7) } : { user_id: 'CO.' + digits() + digits() };
      return act.moved(await api.move(chat, change));
    }
    if (choice.migrate) {
      const target = '-100' + digits();
      return act.migrated(await act.say({ kind: 'migrate', target }), target);
    }
    if (!written()) return act.report(word('writeFirst'));
    const text = written();
    byId('text').value = '';
    return act.say({ staff: true, text });
  };
  open(word('attach'), choices(chat.platform, act.where()).map((choice) => ({
    label: word(choice.label), run: () => Promise.resolve(run(choice)()).catch((error) => act.report(error.message)),
  })));
}

// pick lets the customer choose files; several on Telegram are an album.
function pick({ kind, accept, multiple }, act) {
  const input = byId('file');
  input.accept = accept;
  input.multiple = multiple;
  input.onchange = async () => {
    const files = [...input.files];
    input.value = '';
    try {
      await sendFiles(files, kind, act);
    } catch (error) {
      act.report(error.message);
    }
  };
  input.click();
}

async function sendFiles(files, kind, act) {
  const album = files.length > 1 && act.platform() === 'telegram' ? String(Date.now()) : undefined;
  const caption = byId('text').value;
  byId('text').value = '';
  for (const [i, file] of files.entries()) {
    const media = await api.upload(file);
    await act.say({ kind, media: media.id, album, text: i === 0 ? caption : '' });
  }
}
