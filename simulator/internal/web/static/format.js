// Formatting of messages. Every piece of text becomes a text node: nothing that
// a message says can become markup of this page.

const element = (tag, ...children) => {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
};

const link = (address, ...children) => {
  const made = element('a', ...children);
  if (/^(https?:|tg:|mailto:|tel:)/i.test(address)) {
    made.href = address;
  } else if (!/^[a-z][a-z0-9+.-]*:/i.test(address)) {
    made.href = 'https://' + address;
  }
  made.target = '_blank';
  made.rel = 'noopener noreferrer';
  return made;
};

// Addresses that phones turn into links by themselves.
const withLinks = (text) => {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]*_~]/g)) {
    parts.push(text.slice(last, match.index), link(match[0], match[0]));
    last = match.index + match[0].length;
  }
  parts.push(text.slice(last));
  return parts.filter((part) => part !== '');
};

// telegram builds what Telegram's entities say. Their offsets count UTF-16 code
// units, as JavaScript's strings do.
export function telegram(text, entities) {
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const build = (from, to, list) => {
    const nodes = [];
    let at = from;
    for (let i = 0; i < list.length;) {
      const entity = list[i];
      const end = Math.min(entity.offset + entity.length, to);
      const inner = [];
      for (i += 1; i < list.length && list[i].offset < end; i += 1) inner.push(list[i]);
      if (end <= at) continue;
      nodes.push(...withLinks(text.slice(at, entity.offset)));
      nodes.push(wrap(entity, build(entity.offset, end, inner)));
      at = end;
    }
    nodes.push(...withLinks(text.slice(at, to)));
    return nodes;
  };
  return build(0, text.length, sorted);
}

const wrap = (entity, inner) => {
  switch (entity.type) {
    case 'bold': return element('b', ...inner);
    case 'italic': return element('i', ...inner);
    case 'underline': return element('u', ...inner);
    case 'strikethrough': return element('s', ...inner);
    case 'code': return element('code', ...inner);
    case 'pre': return element('pre', ...inner);
    case 'blockquote':
    case 'expandable_blockquote': return element('blockquote', ...inner);
    case 'text_link': return link(entity.url, ...inner);
    case 'spoiler': {
      const hidden = element('span', ...inner);
      hidden.className = 'spoiler';
      return hidden;
    }
    default: return element('span', ...inner);
  }
};

// whatsapp builds WhatsApp's markup: *bold*, _italic_, ~struck~, `code`,
// ```block``` and > quotations.
export function whatsapp(text) {
  const nodes = [];
  text.split('```').forEach((part, i, all) => {
    if (i % 2 === 1 && i < all.length - 1) nodes.push(element('pre', part.replace(/^\n|\n$/g, '')));
    else nodes.push(...lines(i % 2 === 1 ? '```' + part : part));
  });
  return nodes;
}

const lines = (text) => {
  const nodes = [];
  let block = true; // a quotation breaks the line by itself
  text.split('\n').forEach((line) => {
    if (!block) nodes.push('\n');
    block = line.startsWith('> ');
    if (line.startsWith('> ')) nodes.push(element('blockquote', ...inline(line.slice(2))));
    else nodes.push(...inline(line));
  });
  return nodes;
};

const marks = { '*': 'b', _: 'i', '~': 's', '`': 'code' };

const inline = (text) => {
  // A mark opens after a non-word character and closes before one.
  const match = /(^|[^\p{L}\p{N}_*~`])([*_~`])(?=\S)(.*?\S)\2(?![\p{L}\p{N}])/u.exec(text);
  if (!match) return withLinks(text);
  const start = match.index + match[1].length;
  const url = /https?:\/\/\S*$/.exec(text.slice(0, start));
  if (url) {
    // A mark inside an address is part of it.
    const end = start + /^\S*/.exec(text.slice(start))[0].length;
    return [...withLinks(text.slice(0, end)), ...inline(text.slice(end))];
  }
  const inner = match[2] === '`' ? [match[3]] : inline(match[3]);
  return [
    ...withLinks(text.slice(0, start)),
    element(marks[match[2]], ...inner),
    ...inline(text.slice(match.index + match[0].length)),
  ];
};
