// A sheet of choices that covers the lower part of the phone.
import { word } from './words.js';

const menu = document.getElementById('menu');
let opener = null;

export function close() {
  if (menu.hidden) return;
  menu.hidden = true;
  opener?.focus();
}

// open shows entries of { label, note, run }.
export function open(title, entries) {
  opener = document.activeElement;
  const made = entries.map(({ label, note, run }) => {
    const entry = document.createElement('button');
    entry.type = 'button';
    entry.append(label);
    if (note) {
      const small = document.createElement('small');
      small.append(note);
      entry.append(small);
    }
    entry.onclick = () => { close(); run(); };
    return entry;
  });
  const last = document.createElement('button');
  last.type = 'button';
  last.className = 'close';
  last.append(word('close'));
  last.onclick = close;
  menu.setAttribute('aria-label', title);
  menu.replaceChildren(...made, last);
  menu.hidden = false;
  menu.firstChild.focus();
}

menu.onkeydown = (event) => {
  const all = [...menu.querySelectorAll('button')];
  const at = all.indexOf(document.activeElement);
  if (event.key === 'Escape') close();
  else if (event.key === 'ArrowDown') all[(at + 1) % all.length].focus();
  else if (event.key === 'ArrowUp') all[(at - 1 + all.length) % all.length].focus();
  else if (event.key === 'Tab') {
    // The focus stays inside.
    const next = all[(at + (event.shiftKey ? -1 : 1) + all.length) % all.length];
    event.preventDefault();
    next.focus();
    return;
  } else return;
  event.preventDefault();
};
