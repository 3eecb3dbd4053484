// What a customer can send besides text. The data are samples.
const file = (label, kind, accept, multiple) => ({ label, file: { kind, accept, multiple } });
const say = (label, utterance) => ({ label, say: utterance });

const files = [
  file('photo', 'image', 'image/*', true),
  file('video', 'video', 'video/*', true),
  file('document', 'document', '', false),
  file('voice', 'voice', 'audio/*', false),
  file('audio', 'audio', 'audio/*', false),
  file('sticker', 'sticker', 'image/webp,image/*', false),
];

const place = { latitude: 4.6534, longitude: -74.0837, name: 'Parque Simón Bolívar', address: 'Calle 63, Bogotá' };
const referral = {
  source_url: 'https:' + '//fb.me/anuncio', source_id: '120226305854810726', source_type: 'ad', headline: 'Camisetas a la medida',
  body: 'Envío gratis esta semana', media_type: 'image', ctwa_clid: 'Aff-simulado',
};

const whatsapp = [
  ...files,
  say('location', { kind: 'location', body: place }),
  say('ownContact', { kind: 'contact' }),
  say('otherContact', {
    kind: 'contacts',
    body: [{ name: { formatted_name: 'Inés Ruiz', first_name: 'Inés' }, phones: [{ phone: '+57 300 555 0199', type: 'CELL' }] }],
  }),
  say('order', {
    kind: 'order',
    body: { catalog_id: '194836987003835', text: '', product_items: [{ product_retailer_id: 'CAMISETA', quantity: 2, item_price: 45000, currency: 'COP' }] },
  }),
  say('form', { kind: 'flow', body: { flow_token: 'simulado', talla: 'M', color: 'verde' } }),
  say('templateReply', { kind: 'button', body: { payload: 'SEGUIR', text: 'Seguir' } }),
  say('advert', { text: '¡Hola! Vi su anuncio', extra: { referral } }),
  say('forwarded', { text: 'Mire lo que me mandaron', forwarded: true }),
  say('unsupported', { kind: 'unsupported', text: 'poll' }),
  { label: 'newNumber', move: 'phone' },
  { label: 'newUserID', move: 'user' },
  { label: 'staff', staff: true },
];

const telegram = [
  ...files,
  file('videoNote', 'video_note', 'video/*', false),
  file('animation', 'animation', 'video/*,image/gif', false),
  say('location', { kind: 'location', body: { latitude: place.latitude, longitude: place.longitude } }),
  say('venue', { kind: 'venue', body: { location: { latitude: place.latitude, longitude: place.longitude }, title: place.name, address: place.address } }),
  say('ownContact', { kind: 'contact' }),
  say('dice', { kind: 'dice', body: { emoji: '🎲', value: 4 } }),
  say('start', { text: '/start promo-2026' }),
  say('forwarded', { text: 'Mire lo que me mandaron', forwarded: true }),
  { label: 'staff', staff: true, where: 'business' },
  { label: 'migrate', migrate: true, where: 'group' },
];

// choices lists what can be sent here; where is private, group or business.
export function choices(platform, where) {
  return (platform === 'whatsapp' ? whatsapp : telegram).filter((choice) => !choice.where || choice.where === where);
}

// emojis that both platforms take as reactions.
export const emojis = ['👍', '❤', '🙏', '😁', '😢', '🎉'];
