# What the scripts of this folder share. It is sourced, not run.
# They call a KnoBot that was started by `make up` without credentials of one's own, so that both platforms are simulated.

PATH="$PATH:$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/bin" # `make tools` puts grpcurl there
simulator=http://127.0.0.1:9800/simulator/v1

for program in grpcurl curl; do
  command -v "$program" >/dev/null || { echo "$program is missing; see docs/requests/README.md" >&2; exit 1; }
done

# field NAME prints the first value of a field in the JSON that it reads.
field() {
  local json
  json=$(cat)
  sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" <<<"$json" | sed -n 1p
}

# await COMMAND … runs it until it prints something or 30 s have passed.
await() {
  local value deadline=$((SECONDS + 30))
  while ((SECONDS < deadline)); do
    value=$("$@" 2>/dev/null) && [ -n "$value" ] && { echo "$value"; return; }
    sleep 0.3
  done
  echo "gave up after 30 s: $*" >&2
  return 1
}

# succeeds COMMAND … runs it and prints yes if it succeeded.
succeeds() { "$@" >/dev/null && echo yes; }

# admin_key prints the owner's key of the management API: that of the environment, or the one that `make up` made.
admin_key() {
  if [ -n "${KNOBOT_ADMIN_API_KEY:-}" ]; then
    echo "$KNOBOT_ADMIN_API_KEY"
    return
  fi
  local root dir
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  for dir in "${KNOBOT_DATA_DIR:-$root/.knobot}" /var/lib/knobot; do
    [ ! -r "$dir/admin-api-key" ] || { cat "$dir/admin-api-key"; return; }
  done
  echo "there is no key of the management API; see docs/access.md" >&2
  return 1
}

# simulate PATH JSON does something on the customer's side or at the provider's.
simulate() { curl -fsS "$simulator/$1" -H 'content-type: application/json' -d "$2" >/dev/null; }

# unique prints a number of 13 digits that was not used before.
unique() { printf '9%08d%04d\n' $(($(date +%s) % 100000000)) $((RANDOM % 10000)); }

# uuid prints a UUID that was not used before.
uuid() { printf '%08x-%04x-4%03x-8%03x-%012x\n' "$(date +%s)" $RANDOM $((RANDOM % 4096)) $((RANDOM % 4096)) $((RANDOM * RANDOM)); }

# demo_integration NAME prints the id of the integration that `make up` makes under that name.
demo_integration() {
  local id
  id=$(grpcurl -plaintext -d '{"page_size": 1000}' 127.0.0.1:9103 knobot.channels.v1.IntegrationService/ListIntegrations |
    awk -F'"' -v want="$1" '/^ *"id":/ {id = $4} /^ *"name":/ && $4 == want && !found {found = 1; print id}')
  [ -n "$id" ] || { echo "no integration is named $1: is this make up with its simulator?" >&2; return 1; }
  echo "$id"
}

# user_of PLATFORM_ID prints the id of the user whom the platform knows by that Telegram id or phone number.
user_of() {
  grpcurl -plaintext -d '{"page_size": 100}' 127.0.0.1:9101 knobot.conversation.v1.UserService/ListUsers |
    awk -F'"' -v want="$1" '/^ *"id":/ {id = $4} /"(platformUserId|phoneNumber)":/ && $4 == want && !found {found = 1; print id}'
}

# conversation_of USER prints the id of a user's newest conversation.
conversation_of() {
  grpcurl -plaintext -d "{\"user_id\": \"$1\", \"page_size\": 1}" 127.0.0.1:9101 \
    knobot.conversation.v1.ConversationService/ListConversations | field id
}

# message_of CONVERSATION prints the provider's id of the first message of a conversation.
message_of() {
  grpcurl -plaintext -d "{\"conversation_id\": \"$1\", \"page_size\": 1}" 127.0.0.1:9101 \
    knobot.conversation.v1.ConversationService/ListMessages | field platformMessageId
}
