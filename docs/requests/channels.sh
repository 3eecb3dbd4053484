#!/usr/bin/env bash
# Every RPC of the channels service. It makes a bot of its own in the simulator, writes to customers of its own, and
# removes its integration at the end.
set -euo pipefail
. "$(dirname "$0")/demo.bash"

telegram=$(demo_integration 'Telegram Bot')
whatsapp=$(demo_integration 'WhatsApp Business')
# Nobody can be written to who has not written first.
chat=$(unique)
simulate messages "{\"platform\": \"telegram\", \"from\": \"$chat\", \"name\": \"Ana\", \"text\": \"hola\"}"
phone=573$(unique | cut -c 5-13)
simulate messages "{\"platform\": \"whatsapp\", \"from\": \"$phone\", \"name\": \"Leo\", \"text\": \"hola\"}"
user=$(await user_of "$phone")
conversation=$(await conversation_of "$user")
message=$(await message_of "$conversation")
request=requests-$(unique)
bot=$(unique)
token=$bot:requests-$(unique)
simulate bots "{\"id\": \"$bot\", \"token\": \"$token\", \"name\": \"Ejemplo\", \"username\": \"ejemplo${bot}bot\"}"
# A picture that a customer has on the phone.
picture=$(curl -fsS "$simulator/media" -H 'content-type: image/jpeg' --data-binary $'\xff\xd8\xff\xe0 demo' | grep -o '"id": *"[^"]*"' | cut -d '"' -f 4)
set -v

# What the service offers.
grpcurl -plaintext 127.0.0.1:9103 list
grpcurl -plaintext 127.0.0.1:9103 describe knobot.channels.v1.ChannelService

## ChannelService

grpcurl -plaintext -d "{\"address\": {\"integration_id\": \"$telegram\", \"chat\": {\"id\": $chat}}}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendTypingIndicator

# An answer while it is written; gone after 30 s, and no message. Private Telegram chats only.
grpcurl -plaintext -d "{\"address\": {\"integration_id\": \"$telegram\", \"chat\": {\"id\": $chat}}, \"draft_id\": 1, \"text\": \"Hola, **¿en qué\"}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendDraft

# CommonMark goes in; Telegram gets HTML, WhatsApp its own markup. Buttons come back by their id when pressed.
grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendMessage <<JSON
{
  "request_id": "$request",
  "address": {"integration_id": "$telegram", "chat": {"id": $chat}},
  "content": {
    "text": "Hola, **¿en qué puedo ayudarte?**",
    "button_rows": [{"buttons": [{"id": "opt1", "title": "Opción 1"}, {"id": "opt2", "title": "Opción 2"}]}]
  }
}
JSON

grpcurl -plaintext -d "{\"request_id\": \"$request\"}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/GetDelivery

# Ends the waiting state of a pressed button. An id that Telegram no longer knows is no error.
grpcurl -plaintext -d "{\"integration_id\": \"$telegram\", \"callback_id\": \"1\", \"text\": \"Anotado\"}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/AnswerButtonPress

# WhatsApp: blue ticks on a received message, and "typing …".
grpcurl -plaintext -d "{\"address\": {\"integration_id\": \"$whatsapp\", \"user\": {\"phone_number\": \"$phone\"}}, \"message_id\": \"$message\", \"typing\": true}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/MarkMessageRead

# A file that the platform fetches by itself, with a caption. Type a media_id instead of url for one that KnoBot keeps.
grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendMessage <<JSON
{
  "request_id": "$request-file",
  "address": {"integration_id": "$telegram", "chat": {"id": $chat}},
  "content": {
    "text": "Las **tallas**, en una página",
    "media": {"kind": "KIND_DOCUMENT", "url": "https://tienda.example/tallas.pdf", "filename": "tallas.pdf"}
  }
}
JSON

# A list to choose from; on Telegram it is one button a row.
grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendMessage <<JSON
{
  "request_id": "$request-list",
  "address": {"integration_id": "$whatsapp", "user": {"phone_number": "$phone"}},
  "content": {
    "text": "¿Sobre qué es la pregunta?",
    "list": {
      "button_title": "Ver temas",
      "sections": [
        {"title": "Compras", "rows": [{"id": "envios", "title": "Envíos", "description": "Plazos y costes"}, {"id": "pagos", "title": "Pagos"}]},
        {"title": "Después", "rows": [{"id": "cambios", "title": "Cambios y devoluciones"}]}
      ]
    }
  }
}
JSON

# A reaction to a received message; an empty emoji takes it away.
grpcurl -plaintext -d "{\"request_id\": \"$request-reaction\", \"address\": {\"integration_id\": \"$whatsapp\", \"user\": {\"phone_number\": \"$phone\"}}, \"content\": {\"reaction\": {\"message_id\": \"$message\", \"emoji\": \"👍\"}}}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendMessage

# Asks for the phone number, by a button.
grpcurl -plaintext -d "{\"request_id\": \"$request-contact\", \"address\": {\"integration_id\": \"$telegram\", \"chat\": {\"id\": $chat}}, \"content\": {\"text\": \"¿Nos da su número?\", \"contact_request\": {\"button_title\": \"Compartir mi número\"}}}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendMessage

# WhatsApp: an approved template, the only thing allowed after 24 hours of silence.
template=$(grpcurl -plaintext -d "{\"request_id\": \"$request-template\", \"address\": {\"integration_id\": \"$whatsapp\", \"user\": {\"phone_number\": \"$phone\"}}, \"template\": \"bienvenida\", \"language\": \"es\"}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/SendTemplate | field messageId)

# What conversation passes on when WhatsApp reports on a message of ours.
grpcurl -plaintext -d "{\"integration_id\": \"$whatsapp\", \"reports\": [{\"message_id\": \"$template\", \"state\": \"DELIVERY_STATE_READ\"}]}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/RecordDeliveryReports

# Takes a customer's file in from its platform, by the id that the webhook gave. The same id again returns what is stored.
file=$(grpcurl -plaintext -d "{\"integration_id\": \"$whatsapp\", \"media\": {\"id\": \"$picture\", \"filename\": \"foto.jpg\"}}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/FetchMedia | field id)

# A stream: what the file is, then its bytes.
grpcurl -plaintext -d "{\"id\": \"$file\"}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/GetMedia

# A stream the other way: the header, then the bytes. `knobot media upload` is the easier way.
grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.ChannelService/UploadMedia <<JSON
{"header": {"integration_id": "$whatsapp", "mime_type": "text/plain", "filename": "precios.txt"}}
{"chunk": "$(printf 'Camiseta: 30' | base64)"}
JSON

# What is kept of one customer goes: deliveries, quotas, and this file with its bytes.
grpcurl -plaintext -d "{\"integration_id\": \"$whatsapp\", \"addresses\": [{\"integration_id\": \"$whatsapp\", \"user\": {\"phone_number\": \"$phone\"}}], \"media_ids\": [\"$file\"]}" 127.0.0.1:9103 knobot.channels.v1.ChannelService/Forget

## IntegrationService

# Secrets go in by standard input, so that they show in no process list. They never come out again.
integration=$(grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.IntegrationService/CreateIntegration <<JSON | field id
{"integration": {"name": "Bot de ejemplo", "platform": "PLATFORM_TELEGRAM", "telegram": {"bot_token": "$token"}}}
JSON
)

grpcurl -plaintext -d "{\"id\": \"$integration\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/GetIntegration

grpcurl -plaintext -d '{"platform": "PLATFORM_TELEGRAM", "page_size": 10}' 127.0.0.1:9103 knobot.channels.v1.IntegrationService/ListIntegrations

# update_mask names what changes. grpcurl wants its paths as a list.
grpcurl -plaintext -d "{\"integration\": {\"id\": \"$integration\", \"name\": \"Bot de prueba\", \"settings\": {\"top_k\": 3}}, \"update_mask\": {\"paths\": [\"name\", \"settings.top_k\"]}}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/UpdateIntegration

# The simulator takes plain http; Telegram takes https alone.
grpcurl -plaintext -d "{\"integration_id\": \"$integration\", \"url\": \"http://127.0.0.1:9000\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/SetWebhook

grpcurl -plaintext -d "{\"integration_id\": \"$integration\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/GetWebhookInfo

# What `knobot doctor` asks: everything about it at its provider, each fault with its cure.
grpcurl -plaintext -d "{\"id\": \"$integration\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/CheckIntegration

# A new secret for the webhook; the old one stays valid for 24 hours. Telegram takes one setWebhook a second.
sleep 1
grpcurl -plaintext -d "{\"id\": \"$integration\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/RotateWebhookSecret

# Which keys seal the stored secrets. Without validate_only those of older keys are sealed again.
grpcurl -plaintext -d '{"validate_only": true}' 127.0.0.1:9103 knobot.channels.v1.IntegrationService/ReSealSecrets

grpcurl -plaintext 127.0.0.1:9103 knobot.channels.v1.DiagnosticsService/Diagnose

# A stream that does not end by itself: grpcurl leaves it after 2 s with exit code 68 (64 + DEADLINE_EXCEEDED).
grpcurl -plaintext -max-time 2 127.0.0.1:9103 knobot.channels.v1.IntegrationService/WatchIntegrations || [ $? -eq 68 ]

grpcurl -plaintext -d "{\"id\": \"$integration\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/DeleteIntegration

## VerificationService: for the gateway alone. The stream holds app secrets, so only some fields are shown here.

{ grpcurl -plaintext -max-time 2 127.0.0.1:9103 knobot.channels.v1.VerificationService/Watch || [ $? -eq 68 ]; } | grep -E '"(integrationId|platform|state|revision)"'
