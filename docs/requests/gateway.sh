#!/usr/bin/env bash
# Every RPC of the gateway: the three webhook routes, by gRPC and by HTTP, and the keys of the management API. It makes a number,
# a bot and a key of its own, because only their owner knows their secrets, and removes them at the end.
set -euo pipefail
. "$(dirname "$0")/demo.bash"
command -v openssl >/dev/null || { echo "openssl is missing; see docs/requests/README.md" >&2; exit 1; }

# grpcurl -expand-headers puts the key into the header, so that it stands in no list of processes.
KNOBOT_ADMIN_API_KEY=$(admin_key)
export KNOBOT_ADMIN_API_KEY
number=$(unique)
bot=$(unique)
token=$bot:requests-$(unique)
verify_token=verify-$(unique)
app_secret=app-$(unique)
webhook_secret=secret-$(unique)
simulate bots "{\"id\": \"$bot\", \"token\": \"$token\", \"name\": \"Ejemplo\", \"username\": \"ejemplo${bot}bot\"}"
made=()
remove() {
  for id in "${made[@]}"; do
    grpcurl -plaintext -d "{\"id\": \"$id\"}" 127.0.0.1:9103 knobot.channels.v1.IntegrationService/DeleteIntegration >/dev/null
  done
}
trap remove EXIT
# Neither is real, so no provider is asked about its credentials.
made+=("$(grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.IntegrationService/CreateIntegration <<JSON | field id
{"integration": {"name": "Número de ejemplo", "platform": "PLATFORM_WHATSAPP", "whatsapp": {
  "phone_number_id": "$number", "access_token": "requests", "verify_token": "$verify_token", "app_secret": "$app_secret"}}, "skip_check": true}
JSON
)")
made+=("$(grpcurl -plaintext -d @ 127.0.0.1:9103 knobot.channels.v1.IntegrationService/CreateIntegration <<JSON | field id
{"integration": {"name": "Bot de ejemplo", "platform": "PLATFORM_TELEGRAM", "telegram": {
  "bot_token": "$token", "webhook_secret": "$webhook_secret"}}, "skip_check": true}
JSON
)")

# A delivery report of WhatsApp's, and a customer who lets the bot in again: neither asks for an answer.
whatsapp_body="{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"field\":\"messages\",\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{\"display_phone_number\":\"15550000000\",\"phone_number_id\":\"$number\"},\"statuses\":[{\"id\":\"wamid.$number\",\"status\":\"delivered\",\"timestamp\":\"$(date +%s)\",\"recipient_id\":\"573001234567\"}]}}]}]}"
signature=sha256=$(printf %s "$whatsapp_body" | openssl dgst -sha256 -hmac "$app_secret" -r | cut -d' ' -f1)
member="{\"id\":$bot,\"is_bot\":true,\"first_name\":\"Ejemplo\"}"
telegram_body="{\"update_id\":$(unique),\"my_chat_member\":{\"chat\":{\"id\":7,\"type\":\"private\",\"first_name\":\"Ana\"},\"from\":{\"id\":7,\"is_bot\":false,\"first_name\":\"Ana\"},\"date\":$(date +%s),\"old_chat_member\":{\"user\":$member,\"status\":\"kicked\",\"until_date\":0},\"new_chat_member\":{\"user\":$member,\"status\":\"member\"}}}"
whatsapp_base64=$(printf %s "$whatsapp_body" | base64 | tr -d '\n')
telegram_base64=$(printf %s "$telegram_body" | base64 | tr -d '\n')

# The gateway learns of new credentials within a second or two.
handshake="{\"hub\": {\"mode\": \"subscribe\", \"challenge\": \"1158201444\", \"verify_token\": \"$verify_token\"}}"
await succeeds grpcurl -plaintext -d "$handshake" 127.0.0.1:9100 knobot.gateway.v1.WebhookService/VerifyWhatsAppWebhook
await succeeds grpcurl -plaintext -H "x-telegram-bot-api-secret-token: $webhook_secret" -d "{\"body\": {\"data\": \"$telegram_base64\"}}" 127.0.0.1:9100 knobot.gateway.v1.WebhookService/ReceiveTelegramWebhook
set -v

# What the service offers.
grpcurl -plaintext 127.0.0.1:9100 list
grpcurl -plaintext 127.0.0.1:9100 describe knobot.gateway.v1.WebhookService

## WebhookService by gRPC

# The handshake: the answer holds the challenge. bytes travel as base64 in JSON.
grpcurl -plaintext -d "{\"hub\": {\"mode\": \"subscribe\", \"challenge\": \"1158201444\", \"verify_token\": \"$verify_token\"}}" 127.0.0.1:9100 knobot.gateway.v1.WebhookService/VerifyWhatsAppWebhook

# signature=sha256=$(printf %s "$whatsapp_body" | openssl dgst -sha256 -hmac "$app_secret" -r | cut -d' ' -f1)
grpcurl -plaintext -H "x-hub-signature-256: $signature" -d "{\"body\": {\"data\": \"$whatsapp_base64\"}}" 127.0.0.1:9100 knobot.gateway.v1.WebhookService/ReceiveWhatsAppWebhook

# It came in before: a repeat is recorded and changes nothing.
grpcurl -plaintext -H "x-telegram-bot-api-secret-token: $webhook_secret" -d "{\"body\": {\"data\": \"$telegram_base64\"}}" 127.0.0.1:9100 knobot.gateway.v1.WebhookService/ReceiveTelegramWebhook

## The same by HTTP, as Meta and Telegram do it

curl -fsS "http://127.0.0.1:9000/api/integrations/webhooks/whatsapp/?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=$verify_token"

curl -fsS http://127.0.0.1:9000/api/integrations/webhooks/whatsapp/ -H "X-Hub-Signature-256: $signature" -H 'Content-Type: application/json' -d "$whatsapp_body"

curl -fsS http://127.0.0.1:9000/api/integrations/webhooks/telegram/ -H "X-Telegram-Bot-Api-Secret-Token: $webhook_secret" -H 'Content-Type: application/json' -d "$telegram_body"

## ApiKeyService, with an owner's key

# The secret is in this answer and nowhere else.
grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d "{\"name\": \"Ejemplo $number\", \"role\": \"ROLE_VIEWER\", \"expire_time\": \"2099-01-01T00:00:00Z\"}" 127.0.0.1:9100 knobot.gateway.v1.ApiKeyService/CreateApiKey | sed 's/"secret": ".*"/"secret": "knobot_…"/'

grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d '{"page_size": 1}' 127.0.0.1:9100 knobot.gateway.v1.ApiKeyService/ListApiKeys

set +v
key=$(grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d '{"page_size": 1}' 127.0.0.1:9100 knobot.gateway.v1.ApiKeyService/ListApiKeys | field id)
set -v

grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d "{\"id\": \"$key\"}" 127.0.0.1:9100 knobot.gateway.v1.ApiKeyService/GetApiKey

# A new secret; the old one ends at once.
grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d "{\"id\": \"$key\"}" 127.0.0.1:9100 knobot.gateway.v1.ApiKeyService/RotateApiKey | sed 's/"secret": ".*"/"secret": "knobot_…"/'

grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d "{\"id\": \"$key\"}" 127.0.0.1:9100 knobot.gateway.v1.ApiKeyService/RevokeApiKey

## AuditService, with an owner's key

# Who changed what.
grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d '{"page_size": 3}' 127.0.0.1:9100 knobot.gateway.v1.AuditService/ListAuditEntries

## The management services of the others, at the same address

grpcurl -plaintext -expand-headers -H 'authorization: Bearer ${KNOBOT_ADMIN_API_KEY}' -d '{"page_size": 1}' 127.0.0.1:9100 knobot.conversation.v1.UserService/ListUsers
