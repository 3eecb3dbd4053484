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

# delivery_of SUBSCRIPTION prints the id of the newest event that it is told.
delivery_of() {
  grpcurl -plaintext -d "{\"subscription_id\": \"$1\"}" 127.0.0.1:9101 \
    knobot.conversation.v1.SubscriptionService/ListSubscriptionDeliveries | field id
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
hour_ago=$(date -u -d @$(($(date +%s) - 3600)) +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r $(($(date +%s) - 3600)) +%Y-%m-%dT%H:%M:%SZ)
request=$(uuid)
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

# Those in which staff have the word.
grpcurl -plaintext -d '{"paused_only": true, "page_size": 2}' 127.0.0.1:9101 knobot.conversation.v1.ConversationService/ListConversations

# Staff take over: the bot keeps silent for half an hour, and again after each reply.
grpcurl -plaintext -d "{\"id\": \"$conversation\", \"staff\": \"Leo\", \"reason\": \"a complaint\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/HandOverConversation

# The same request_id again would send nothing.
grpcurl -plaintext -d "{\"conversation_id\": \"$conversation\", \"text\": \"Hola, soy Leo. ¿En qué le ayudo?\", \"request_id\": \"$request\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/ReplyToConversation

# The bot may answer again.
grpcurl -plaintext -d "{\"id\": \"$conversation\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/ResumeConversation

# The customer's next message opens a new conversation.
grpcurl -plaintext -d "{\"id\": \"$conversation\"}" 127.0.0.1:9101 knobot.conversation.v1.ConversationService/CloseConversation

## WebhookLogService

# The last ten webhooks of a platform.
grpcurl -plaintext -d '{"platform": "PLATFORM_TELEGRAM", "page_size": 10}' 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ListWebhookLogs

# Those of an integration in the last hour of which an event came to something.
grpcurl -plaintext -d "{\"integration_id\": \"$integration\", \"outcome\": \"answered\", \"start_time\": \"$hour_ago\", \"page_size\": 3}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ListWebhookLogs

# Those with a message that could not be answered.
grpcurl -plaintext -d '{"dead_only": true, "page_size": 3}' 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ListWebhookLogs

# Totals by platform.
grpcurl -plaintext 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/CountWebhookLogs

# Totals of the last hour, with what became of the events.
grpcurl -plaintext -d "{\"start_time\": \"$hour_ago\"}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/CountWebhookLogs

# One webhook with its raw payload (base64) and its events.
grpcurl -plaintext -d "{\"id\": \"$log\"}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/GetWebhookLog

# Its dead events wait for an answer again.
grpcurl -plaintext -d "{\"id\": \"$log\"}" 127.0.0.1:9101 knobot.conversation.v1.WebhookLogService/ReplayWebhookLog

## SubscriptionService

# The secret that signs is shown this once (docs/events.md).
subscription=$(grpcurl -plaintext -d '{"subscription": {"url": "https://shop.example/hooks", "event_types": ["message.received"]}}' 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/CreateSubscription | field id)
simulate messages "{\"platform\": \"telegram\", \"from\": \"$ana\", \"name\": \"Ana\", \"text\": \"Gracias\"}"
delivery=$(await delivery_of "$subscription")

grpcurl -plaintext -d "{\"id\": \"$subscription\"}" 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/GetSubscription

grpcurl -plaintext -d '{"page_size": 2}' 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/ListSubscriptions

# What it is told, and what became of that; dead_only shows what is not tried any more.
grpcurl -plaintext -d "{\"subscription_id\": \"$subscription\", \"page_size\": 3}" 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/ListSubscriptionDeliveries

# One of them now.
grpcurl -plaintext -d "{\"subscription_id\": \"$subscription\", \"id\": \"$delivery\"}" 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/RetrySubscriptionDelivery

# For a day deliveries are signed with the secret before, too.
grpcurl -plaintext -d "{\"id\": \"$subscription\"}" 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/RotateSubscriptionSecret

# Which keys seal the stored secrets. Without validate_only those of older keys are sealed again.
grpcurl -plaintext -d '{"validate_only": true}' 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/ReSealSubscriptionSecrets

grpcurl -plaintext -d "{\"subscription\": {\"id\": \"$subscription\", \"enabled\": false}, \"update_mask\": {\"paths\": [\"enabled\"]}}" 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/UpdateSubscription

grpcurl -plaintext -d "{\"id\": \"$subscription\"}" 127.0.0.1:9101 knobot.conversation.v1.SubscriptionService/DeleteSubscription

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
