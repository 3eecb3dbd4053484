// Asks @kapso/whatsapp-cloud-api. Reads one JSON document from standard input and writes one to standard output.
//   {verify: [{secret, body, header}]}        bodies in base64   → [true, false …]
//   {normalize: [payload …]}                                    → [normalised webhook …]
//   {send: {url, token, number, to, received}}                  → {name: {answer} or {error} …}
import {readFileSync} from 'node:fs';
import {WhatsAppClient} from '@kapso/whatsapp-cloud-api';
import {normalizeWebhook, verifySignature} from '@kapso/whatsapp-cloud-api/server';

const input = JSON.parse(readFileSync(0, 'utf8'));

function verify(cases) {
  return cases.map(({secret, body, header}) =>
    verifySignature({appSecret: secret, rawBody: Buffer.from(body, 'base64'), signatureHeader: header}));
}

async function send({url, token, number, to, received}) {
  const client = new WhatsAppClient({accessToken: token, baseUrl: url, graphVersion: 'v26.0'});
  const message = {phoneNumberId: number, to};
  const button = n => ({id: `b${n}`, title: `Opción ${n}`});
  const file = await client.media.upload({
    phoneNumberId: number, type: 'image/png', file: new Blob([Buffer.from('picture')], {type: 'image/png'}), fileName: 'p.png',
  });
  const calls = {
    text: () => client.messages.sendText({...message, body: 'Hola', bizOpaqueCallbackData: 'r1/0/1'}),
    reply: () => client.messages.sendText({...message, body: 'Hola', contextMessageId: received, previewUrl: false}),
    image: () => client.messages.sendImage({...message, image: {id: file.id, caption: 'Foto'}}),
    document: () => client.messages.sendDocument({...message, document: {id: file.id, filename: 'p.png'}}),
    template: () => client.messages.sendTemplate({...message, template: {name: 'bienvenida', language: {code: 'es'}}}),
    reaction: () => client.messages.sendReaction({...message, reaction: {messageId: received, emoji: '👍'}}),
    buttons: () => client.messages.sendInteractiveButtons({...message, bodyText: 'Elige', buttons: [1, 2, 3].map(button)}),
    list: () => client.messages.sendInteractiveList({
      ...message, bodyText: 'Elige', buttonText: 'Ver', sections: [{title: 'Temas', rows: [{id: 'r1', title: 'Envíos', description: 'Plazos'}]}],
    }),
    read: () => client.messages.markRead({phoneNumberId: number, messageId: received}),
    typing: () => client.messages.markRead({phoneNumberId: number, messageId: received, typingIndicator: {type: 'text'}}),
    media: () => client.media.get({mediaId: file.id, phoneNumberId: number}),
  };
  const answers = {};
  for (const [name, call] of Object.entries(calls)) {
    answers[name] = await call().then(answer => ({answer}), error => ({error: String(error)}));
  }
  return answers;
}

const output = input.verify ? verify(input.verify) : input.normalize ? input.normalize.map(normalizeWebhook) : await send(input.send);
process.stdout.write(JSON.stringify(output));
