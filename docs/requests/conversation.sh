#!/usr/bin/env bash
# Every RPC of the conversation service. Two simulated customers write first; the calls concern them alone.
set -euo pipefail
. "$(dirname "$0")/demo.bash"

# dead_log_of CUSTOMER prints the id of the newest webhook with a dead event if that customer sent it.
dead_log_of() {
  local id
  id=$(grpcurl -plaintext -d '{"dead_only": true, "page_size": 1}' 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ListWebhookLogs | field id)
  grpcurl -plaintext -d "{\"id\": \"$id\"}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/GetWebhookLog |
    field payload | base64 -d | grep "$1" >/dev/null && echo "$id"
}

integration=$(demo_integration 'Telegram Bot')
ana=$(unique)
simulate messages "{\"platform\": \"telegram\", \"from\": \"$ana\", \"name\": \"Ana\", \"text\": \"¿A qué hora abren los sábados?\"}"
user=$(await user_of "$ana")
conversation=$(await conversation_of "$user")
# Telegram refuses the answer to the second customer, whose message is dead after that.
leo=$(unique)
simulate faults "{\"kind\": \"error\", \"platform\": \"telegram\", \"user\": \"$leo\", \"method\": \"sendMessage\", \"code\": 400, \"description\": \"Bad Request: chat not found\"}"
simulate messages "{\"platform\": \"telegram\", \"from\": \"$leo\", \"name\": \"Leo\", \"text\": \"¿Cuánto cuesta el envío?\"}"
log=$(await dead_log_of "$leo")
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
set -v

# What the service offers.
grpcurl -plaintext 127.0.0.1:9101 list
grpcurl -plaintext 127.0.0.1:9101 describe knobot.conversation.v1.ConversationService

## UserService

grpcurl -plaintext -d "{\"id\": \"$user\"}" 127.0.0.1:9101 knobot.conversation.v1.UserService/GetUser

grpcurl -plaintext -d "{\"integration_id\": \"$integration\", \"page_size\": 2}" 127.0.0.1:9101 knobot.conversation.v1.UserService/ListUsers

grpcurl -plaintext -d '{"platform": "PLATFORM_WHATSAPP", "page_size": 2}' 127.0.0.1:9101 knobot.conversation.v1.UserService/ListUsers

## ConversationService

# metadata holds platform, platform_user_id and created_via.
grpcurl -plaintext -d "{\"id\": \"$conversation\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/GetConversation

grpcurl -plaintext -d "{\"user_id\": \"$user\", \"page_size\": 2}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/ListConversations

grpcurl -plaintext -d "{\"conversation_id\": \"$conversation\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/ListMessages

# After staff wrote by themselves the bot keeps silent for a while; this ends it.
grpcurl -plaintext -d "{\"id\": \"$conversation\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/ResumeConversation

# The customer's next message opens a new conversation.
grpcurl -plaintext -d "{\"id\": \"$conversation\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/CloseConversation

## WebhookLogService

# The last ten webhooks of a platform.
grpcurl -plaintext -d '{"platform": "PLATFORM_TELEGRAM", "page_size": 10}' 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ListWebhookLogs

# Those with a message that could not be answered.
grpcurl -plaintext -d '{"dead_only": true, "page_size": 3}' 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ListWebhookLogs

# Totals by platform.
grpcurl -plaintext 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/CountWebhookLogs

# One webhook with its raw payload (base64) and its events.
grpcurl -plaintext -d "{\"id\": \"$log\"}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/GetWebhookLog

# Its dead events wait for an answer again.
grpcurl -plaintext -d "{\"id\": \"$log\"}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ReplayWebhookLog

## Privacy

# Everything that is kept of a customer, as one JSON document in pieces (base64).
grpcurl -plaintext -d "{\"id\": \"$user\"}" 127.0.0.1:9101 knobot.conversation.v1.UserService/ExportUser

# Erases the customer everywhere. At once nobody sees them; the rest is done in the background.
grpcurl -plaintext -d "{\"id\": \"$user\"}" 127.0.0.1:9101 knobot.conversation.v1.UserService/DeleteUser

# STATE_DONE once nothing is left.
grpcurl -plaintext -d "{\"user_id\": \"$user\"}" 127.0.0.1:9101 knobot.conversation.v1.UserService/GetErasure

## IngestService: what the gateway calls. A client of one's own seldom needs it.

# An event without content is only recorded. The same key again is a repeat.
grpcurl -plaintext -d @ 127.0.0.1:9101 knobot.conversation.v1.IngestService/IngestWebhook <<JSON
{
  "platform": "PLATFORM_TELEGRAM",
  "payload": "$(printf '{"update_id": %s}' "$ana" | base64)",
  "remote_address": "127.0.0.1",
  "events": [{"key": "upd:$ana", "integration_id": "$integration", "kind": "example", "occur_time": "$now"}]
}
JSON

# A webhook that failed verification is counted.
grpcurl -plaintext -d '{"platform": "PLATFORM_TELEGRAM", "remote_address": "192.0.2.1", "reason": "REJECTION_REASON_WRONG_CREDENTIAL"}' 127.0.0.1:9101 knobot.conversation.v1.IngestService/RecordRejectedWebhook

## DiagnosticsService: what `knobot doctor` asks

grpcurl -plaintext 127.0.0.1:9101 knobot.conversation.v1.DiagnosticsService/Diagnose
