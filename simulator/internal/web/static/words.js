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
    settings: 'Ajustes del cliente', where: 'Dónde', wherePrivate: 'En privado', whereGroup: 'En un grupo', whereBusiness: 'En el chat del negocio',
    hideNumber: 'WhatsApp oculta su número', faults: 'Fallos ordenados', faultKind: 'Fallo', faultCode: 'Código',
    faultTimes: 'Veces (-1: siempre)', order_: 'Ordenar', callOff: 'quitar',
    photo: '🖼 Foto', video: '🎬 Vídeo', document: '📄 Documento', voice: '🎤 Nota de voz', audio: '🎵 Audio', sticker: '🌟 Sticker',
    videoNote: '⭕ Videomensaje', animation: '🎞 Animación', location: '📍 Ubicación', venue: '🏛 Lugar', ownContact: '👤 Mi contacto',
    otherContact: '👥 El contacto de otra persona', order: '🛒 Pedido del catálogo', form: '📝 Formulario lleno',
    templateReply: '↩ Botón de una plantilla', advert: '📣 Llega por un anuncio', forwarded: '↪ Un reenviado',
    unsupported: '❔ Algo que no se admite (encuesta)', newNumber: '📱 Cambia de número', newUserID: '🆔 Cambia de identificador',
    staff: '🏪 Escribe alguien del negocio', dice: '🎲 Dado', start: '▶ /start con enlace', migrate: '⬆ El grupo pasa a supergrupo',
    reply: 'Responder', edit: 'Editar', revoke: 'Borrar para todos', unreact: 'Quitar la reacción', actions: 'Acciones del mensaje',
    replying: 'Responde a:', editing: 'Edita:', deleted: 'mensaje borrado', forwardedMark: 'reenviado', staffMark: 'personal',
    stop: 'Detener', writeFirst: 'Primero escriba el texto', choose: 'Elegir',
  },
  en: {
    intro: 'Talk to the bot as a customer would. The phone is simulated.',
    platform: 'App', account: 'Write to', customer: "Customer's name", number: "Customer's number",
    open: 'The customer looks at the chat', block: 'The customer blocks the account',
    write: 'Type a message', send: 'Send', attach: 'Attach a file',
    typing: 'typing…', online: 'online', none: 'no accounts: configure a number or a bot',
    lost: 'no connection to the simulator…', file: 'file', edited: 'edited', draft: 'composing…',
    failed: 'not delivered', close: 'Close', other: 'Español',
    settings: "The customer's settings", where: 'Where', wherePrivate: 'In private', whereGroup: 'In a group', whereBusiness: "In the business's chat",
    hideNumber: 'WhatsApp hides the number', faults: 'Ordered faults', faultKind: 'Fault', faultCode: 'Code',
    faultTimes: 'Times (-1: always)', order_: 'Order', callOff: 'call off',
    photo: '🖼 Photo', video: '🎬 Video', document: '📄 Document', voice: '🎤 Voice note', audio: '🎵 Audio', sticker: '🌟 Sticker',
    videoNote: '⭕ Video message', animation: '🎞 Animation', location: '📍 Location', venue: '🏛 Place', ownContact: '👤 My contact',
    otherContact: "👥 Somebody else's contact", order: '🛒 Order from the catalogue', form: '📝 Form filled in',
    templateReply: "↩ A template's button", advert: '📣 Comes from an advert', forwarded: '↪ Something forwarded',
    unsupported: '❔ Something unsupported (a poll)', newNumber: '📱 Gets a new number', newUserID: '🆔 Gets a new user id',
    staff: '🏪 Staff write', dice: '🎲 Dice', start: '▶ /start by a link', migrate: '⬆ The group becomes a supergroup',
    reply: 'Reply', edit: 'Edit', revoke: 'Delete for everybody', unreact: 'Remove the reaction', actions: 'Actions on the message',
    replying: 'Replies to:', editing: 'Edits:', deleted: 'message deleted', forwardedMark: 'forwarded', staffMark: 'staff',
    stop: 'Stop', writeFirst: 'Write the text first', choose: 'Choose',
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
