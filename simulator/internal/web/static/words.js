// The page's own words.
const words = {
  es: {
    intro: 'Hable con el bot como lo haría un cliente. El teléfono es simulado.',
    platform: 'Aplicación', account: 'Escribe a', customer: 'Nombre del cliente', number: 'Número del cliente',
    open: 'El cliente mira el chat', block: 'El cliente bloquea la cuenta',
    write: 'Escriba un mensaje', send: 'Enviar', attach: 'Adjuntar un archivo',
    typing: 'escribiendo…', online: 'en línea', none: 'sin cuentas: configure un número o un bot',
    lost: 'sin conexión con el simulador…', file: 'archivo', edited: 'editado', draft: 'redactando…',
    failed: 'no entregado', close: 'Cerrar', other: 'English',
  },
  en: {
    intro: 'Talk to the bot as a customer would. The phone is simulated.',
    platform: 'App', account: 'Write to', customer: "Customer's name", number: "Customer's number",
    open: 'The customer looks at the chat', block: 'The customer blocks the account',
    write: 'Type a message', send: 'Send', attach: 'Attach a file',
    typing: 'typing…', online: 'online', none: 'no accounts: configure a number or a bot',
    lost: 'no connection to the simulator…', file: 'file', edited: 'edited', draft: 'composing…',
    failed: 'not delivered', close: 'Close', other: 'Español',
  },
};

let language = localStorage.getItem('language') === 'en' ? 'en' : 'es';

export const word = (name) => words[language][name];

export function switchLanguage() {
  language = language === 'es' ? 'en' : 'es';
  localStorage.setItem('language', language);
}

export function translate(root) {
  root.documentElement.lang = language;
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = word(node.dataset.text);
  for (const node of root.querySelectorAll('[data-title]')) {
    node.title = word(node.dataset.title);
    node.setAttribute('aria-label', node.title);
  }
}
