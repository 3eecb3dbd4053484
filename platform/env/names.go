package env

import (
	"fmt"
	"slices"
	"strings"
)

// Name is a variable that some KnoBot program reads.
type Name struct {
	Name    string
	Meaning string // one sentence
	Secret  bool   // NAME_FILE works too
}

// Names lists every variable that a KnoBot program reads, by subject. Programs
// share one .env, so each of them must know the names of all.
func Names() []Name {
	return slices.Concat(storageNames(), addressNames(), operationNames(), behaviourNames(), providerNames(), modelNames(), developmentNames())
}

func storageNames() []Name {
	return []Name{
		{"KNOBOT_DATABASE_URL", "PostgreSQL URL of the service's own role, which may read and write rows only.", true},
		{"KNOBOT_MIGRATE_DATABASE_URL", "PostgreSQL URL of the schema's owner, used by `migrate`; the default is KNOBOT_DATABASE_URL.", true},
		{"KNOBOT_WEAVIATE_URL", "Base URL of Weaviate's REST API.", false},
		{"KNOBOT_WEAVIATE_GRPC_ADDR", "Address of Weaviate's gRPC API.", false},
		{"KNOBOT_WEAVIATE_API_KEY", "API key of Weaviate.", true},
		{"KNOBOT_CACHE_DIR", "Folder where rag keeps its compiled reader of PDFs, to start it faster; empty keeps nothing.", false},
		{"KNOBOT_FETCH_ALLOW", "Servers, as host:port separated by commas, that sources may be fetched from though their addresses are not public.", false},
		{"KNOBOT_MEDIA_URL", "Where media files are kept: file:///folder or s3://bucket?region=… (a gocloud.dev/blob URL), which with an endpoint is any store that speaks S3; the default is .knobot/media below the working folder.", false},
		{"KNOBOT_ENCRYPTION_KEYSET", "Tink keyset in JSON that seals secrets at rest: the integrations' (channels), the subscriptions' (conversation).", true},
	}
}

func addressNames() []Name {
	return []Name{
		{"KNOBOT_HTTP_ADDR", "Listener of the three webhook routes and of nothing else.", false},
		{"KNOBOT_ADMIN_ADDR", "Listener of the management API, its OpenAPI document and its pages.", false},
		{"KNOBOT_GRPC_ADDR", "Listener of the service's gRPC API.", false},
		{"KNOBOT_DEBUG_ADDR", "Listener of metrics, pprof and the level of the log; `off` opens none.", false},
		{"KNOBOT_HEALTH_ADDR", "Listener of the health service alone, without TLS: for probes where mutual TLS is on; unset opens none.", false},
		{"KNOBOT_GATEWAY_ADDR", "Address of the gRPC API of the gateway.", false},
		{"KNOBOT_PROFILE", "The profile that the command line uses (docs/cli.md).", false},
		{"KNOBOT_CONVERSATION_ADDR", "Address of the gRPC API of the conversation service.", false},
		{"KNOBOT_RAG_ADDR", "Address of the gRPC API of the rag service.", false},
		{"KNOBOT_CHANNELS_ADDR", "Address of the gRPC API of the channels service.", false},
		{"KNOBOT_ADMIN_URL", "Base URL of the management API, for the command line.", false},
		{"KNOBOT_PUBLIC_URL", "Public https base URL under which providers reach the webhook routes.", false},
	}
}

func operationNames() []Name {
	return []Name{
		{"KNOBOT_TLS_CERT_FILE", "PEM certificate of the service; with the key and the CA it turns mutual TLS on between services.", false},
		{"KNOBOT_TLS_KEY_FILE", "PEM private key of the certificate.", false},
		{"KNOBOT_TLS_CA_FILE", "PEM certificates of the authority that signs every service's certificate.", false},
		{"KNOBOT_LOG_LEVEL", "Least severe level that is logged: debug, info, warn or error. `/log/level` on the debug listener changes it.", false},
		{"KNOBOT_DRAIN", "How long a stopping service goes on serving after it reports NOT_SERVING.", false},
		{"KNOBOT_ADMIN_API_KEY", "First key of the management API, an owner's, which needs no database; 24 characters at least.", true},
		{"KNOBOT_OIDC_ISSUER", "OpenID Connect issuer whose tokens the management API accepts; unset for none.", false},
		{"KNOBOT_OIDC_AUDIENCE", "Whom the issuer's tokens must be for: the client's id.", false},
		{"KNOBOT_OIDC_ROLES_CLAIM", "Claim of the issuer's tokens that holds viewer, operator or owner, alone or in a list.", false},
		{"KNOBOT_KEEP_AUDIT", "How long it is kept who changed what over the management API; 0 keeps it for ever.", false},
		{"KNOBOT_TELEGRAM_CIDRS", "Networks that Telegram's webhooks are taken from, separated by commas; Telegram's own are 149.154.160.0/20,91.108.4.0/22. Unset takes them from everywhere: the secret is the proof.", false},
		{"KNOBOT_TRUSTED_PROXIES", "Networks of the reverse proxies in front of the gateway, separated by commas: X-Forwarded-For is believed from them alone.", false},
		{"KNOBOT_ROLE", "Role of a conversation process: all, api or worker.", false},
	}
}

func behaviourNames() []Name {
	return []Name{
		{"KNOBOT_DEBOUNCE", "How long a burst of messages is waited for before it is answered as one.", false},
		{"KNOBOT_LONGEST_WAIT", "Longest time that a burst may put its answer off.", false},
		{"KNOBOT_STALE_AFTER", "Age after which a waiting message is no longer answered.", false},
		{"KNOBOT_STAFF_PAUSE", "How long the bot keeps silent after the last message that staff wrote by themselves.", false},
		{"KNOBOT_ECHO_WAIT", "How long a delivery report is waited for before a send of unknown outcome is repeated.", false},
		{"KNOBOT_WHATSAPP_RATE", "Messages that a WhatsApp number may send in a second; raise it when Meta has upgraded the number's throughput.", false},
		{"KNOBOT_TELEGRAM_RATE", "Messages that a Telegram bot may send in a second.", false},
		{"KNOBOT_WORKERS", "How many conversations a process answers at the same time.", false},
		{"KNOBOT_ANSWER_TIMEOUT", "How long an answer may take to compose.", false},
		{"KNOBOT_IDLE_AFTER", "Silence after which a customer's next message opens a new conversation.", false},
		{"KNOBOT_KEEP_MESSAGES", "How long messages are kept, where an integration does not say; 0 keeps them for ever.", false},
		{"KNOBOT_KEEP_MEDIA", "How long files that customers sent are kept, where an integration does not say; 0 keeps them for ever.", false},
		{"KNOBOT_CUSTOMER_HOURLY_LIMIT", "How many messages of one customer are answered in any hour, where an integration does not say; 0 for any number.", false},
		{"KNOBOT_CUSTOMER_DAILY_LIMIT", "How many messages of one customer are answered in any 24 hours, where an integration does not say; 0 for any number.", false},
		{"KNOBOT_KEEP_WEBHOOKS", "How long the log of webhooks is kept, with what came in them; 0 keeps it for ever.", false},
		{"KNOBOT_EVENTS_ALLOW_PRIVATE", "Allows subscriptions to be told over http and at addresses that are not public: true or false.", false},
		{"KNOBOT_LEASE", "How long a worker holds a conversation without a sign of life.", false},
	}
}

func providerNames() []Name {
	return []Name{
		{"WHATSAPP_PHONE_NUMBER_ID", "Phone number id of the first WhatsApp integration.", false},
		{"WHATSAPP_WABA_ID", "WhatsApp Business account of the first WhatsApp integration.", false},
		{"WHATSAPP_ACCESS_TOKEN", "Access token of the first WhatsApp integration.", true},
		{"WHATSAPP_VERIFY_TOKEN", "Token that Meta repeats when it verifies the webhook.", true},
		{"WHATSAPP_APP_SECRET", "App secret that signs WhatsApp's webhooks.", true},
		{"WHATSAPP_ALLOW_UNSIGNED", "Accepts unsigned WhatsApp webhooks, for an app without a known secret.", false},
		{"WHATSAPP_API_URL", "Base URL of the Cloud API; the default is Meta's.", false},
		{"WHATSAPP_API_VERSION", "Version of the Graph API.", false},
		{"TELEGRAM_BOT_TOKEN", "Token of the first Telegram bot.", true},
		{"TELEGRAM_SECRET_TOKEN", "Secret that Telegram repeats with each webhook of the first bot.", true},
		{"TELEGRAM_API_URL", "Base URL of the Bot API; the default is Telegram's.", false},
		{"KNOBOT_SIMULATOR_ADDR", "Listener of the simulator, which stands in for Meta and Telegram.", false},
		{"KNOBOT_SIMULATOR_WEBHOOK_URL", "Base URL that the simulator posts its webhooks to.", false},
	}
}

func modelNames() []Name {
	return []Name{
		{"KNOBOT_LLM_PROVIDER", "Who writes the answers: extractive, openai or anthropic.", false},
		{"KNOBOT_LLM_BASE_URL", "Base URL of the language model's API.", false},
		{"KNOBOT_LLM_API_KEY", "API key of the language model.", true},
		{"KNOBOT_LLM_MODEL", "Name of the language model.", false},
		{"KNOBOT_LLM_VISION", "Says that the language model reads images and PDF documents: true or false.", false},
		{"KNOBOT_LLM_FALLBACK_PROVIDER", "Who writes the answers while the language model does not: openai or anthropic; unset for extraction at once.", false},
		{"KNOBOT_LLM_FALLBACK_BASE_URL", "Base URL of the fallback's API.", false},
		{"KNOBOT_LLM_FALLBACK_API_KEY", "API key of the fallback.", true},
		{"KNOBOT_LLM_FALLBACK_MODEL", "Name of the fallback.", false},
		{"KNOBOT_LLM_FALLBACK_VISION", "Says that the fallback reads images and PDF documents: true or false.", false},
		{"KNOBOT_LLM_PRICE_INPUT", "Price of a million tokens that the language model reads, in any currency, for the sums of ListUsage.", false},
		{"KNOBOT_LLM_PRICE_OUTPUT", "Price of a million tokens that the language model writes.", false},
		{"KNOBOT_LLM_FALLBACK_PRICE_INPUT", "Price of a million tokens that the fallback reads.", false},
		{"KNOBOT_LLM_FALLBACK_PRICE_OUTPUT", "Price of a million tokens that the fallback writes.", false},
		{"KNOBOT_LLM_DAILY_PER_CUSTOMER", "How many answers by language models a customer gets in a day (UTC), then extraction answers; 0 for any number.", false},
		{"KNOBOT_LLM_DAILY_PER_KNOWLEDGE_BASE", "How many answers by language models a knowledge base gives in a day (UTC), then extraction answers; 0 for any number.", false},
		{"KNOBOT_LLM_TIMEOUT", "How long language models may take for one answer, all calls together; then extraction answers.", false},
		{"KNOBOT_LLM_MAX_TOKENS", "How many tokens the language model may write for an answer; models that reason first need more than the default 1024.", false},
		{"KNOBOT_EMBEDDING_PROVIDER", "Who makes embeddings: none (keyword search) or openai (hybrid search).", false},
		{"KNOBOT_EMBEDDING_BASE_URL", "Base URL of the embedding model's API.", false},
		{"KNOBOT_EMBEDDING_API_KEY", "API key of the embedding model.", true},
		{"KNOBOT_EMBEDDING_MODEL", "Name of the embedding model.", false},
		{"KNOBOT_TRANSCRIPTION_BASE_URL", "Base URL of the transcription API for voice notes; any that speaks OpenAI's protocol.", false},
		{"KNOBOT_TRANSCRIPTION_API_KEY", "API key of the transcription API.", true},
		{"KNOBOT_TRANSCRIPTION_MODEL", "Name of the transcription model; without one voice notes are not listened to.", false},
	}
}

func developmentNames() []Name {
	return []Name{
		{"KNOBOT_DATA_DIR", "Folder in which `make up` keeps its data.", false},
		{"KNOBOT_SHARED_DIR", "Folder of third-party reference files that some tests read.", false},
		{"KNOBOT_TEST_POSTGRES_URL", "PostgreSQL URL of a superuser that the tests use instead of a server of their own.", true},
		{"KNOBOT_TEST_WEAVIATE_BINARY", "Weaviate server that the tests start.", false},
	}
}

func lookup(name string) (Name, bool) {
	for _, n := range Names() {
		if n.Name == name {
			return n, true
		}
	}
	return Name{}, false
}

// unknownNames refuses KNOBOT_ names that nobody reads, mostly misspelt ones.
func unknownNames(vars map[string]string) []string {
	known := map[string]bool{}
	for _, n := range Names() {
		known[n.Name] = true
		known[n.Name+fileSuffix] = known[n.Name+fileSuffix] || n.Secret
	}
	var faults []string
	for name := range vars {
		if strings.HasPrefix(name, "KNOBOT_") && !known[name] && !injected(name) {
			faults = append(faults, fmt.Sprintf("%s is not a setting of KnoBot%s", name, suggestion(name, known)))
		}
	}
	return faults
}

// injected reports names that Kubernetes sets for each Service of a namespace,
// such as KNOBOT_RAG_SERVICE_HOST and KNOBOT_RAG_PORT_9102_TCP_ADDR.
func injected(name string) bool {
	return strings.Contains(name, "_SERVICE_") || strings.Contains(name, "_PORT")
}
