// Package access decides who may call which method of the management API: it authenticates, authorises, bounds how often, and
// writes down who changed what. Its interceptors stand in front of every way in.
package access

import (
	"strings"

	gateway "github.com/knobot/knobot/services/gateway"
)

// Rule says who may call a method.
type Rule struct {
	// Role is the least that a caller needs.
	Role gateway.Role
	// Reads is for methods that change nothing though a viewer may not call them.
	Reads bool
	// Scope is the path of the request's field that names an integration. A key that is bound to an integration may call the
	// method if that field names it; without a path it may not.
	Scope string
	// Public methods need no credential here: they check one of their own, or tell nothing.
	Public bool
	// Peers is for methods between services: nobody can call them from outside.
	Peers bool
}

// Changes says whether calls of the method are written down. What a viewer may do changes nothing.
func (r Rule) Changes() bool { return r.Role > gateway.Viewer && !r.Reads }

// Table holds the rules by service and method.
type Table map[string]map[string]Rule

// Rule returns the rule of a method (package.Service/Method). Without a rule nobody may call it.
func (t Table) Rule(method string) (Rule, bool) {
	service, name, _ := strings.Cut(method, "/")
	r, ok := t[service][name]
	if !ok {
		r, ok = t[service][every]
	}
	return r, ok
}

// Serves says whether the gateway answers a method.
func (t Table) Serves(method string) bool {
	r, ok := t.Rule(method)
	return ok && !r.Peers
}

// every stands for all methods of a service that are not named.
const every = "*"

// NewTable is the one table of who may do what. A test holds it against the definitions of all services, so a new method without
// a row fails there, and nobody may call it meanwhile.
func NewTable() Table {
	view, work, own := Rule{Role: gateway.Viewer}, Rule{Role: gateway.Operator}, Rule{Role: gateway.Owner}
	public, peers, inspect := Rule{Public: true}, Rule{Peers: true}, Rule{Role: gateway.Owner, Reads: true}
	check := Rule{Role: gateway.Operator, Reads: true}
	return Table{
		"grpc.health.v1.Health":                    {every: public},
		"grpc.reflection.v1.ServerReflection":      {every: public},
		"grpc.reflection.v1alpha.ServerReflection": {every: public},

		// It checks signatures and secrets of the platforms.
		"knobot.gateway.v1.WebhookService": {
			"VerifyWhatsAppWebhook": public, "ReceiveWhatsAppWebhook": public, "ReceiveTelegramWebhook": public,
		},
		"knobot.gateway.v1.ApiKeyService": {
			"GetApiKey": inspect, "ListApiKeys": inspect, "CreateApiKey": own, "RotateApiKey": own, "RevokeApiKey": own,
		},
		"knobot.gateway.v1.AuditService": {"ListAuditEntries": inspect},

		"knobot.conversation.v1.DiagnosticsService": {"Diagnose": check},
		"knobot.rag.v1.DiagnosticsService":          {"Diagnose": check},
		"knobot.channels.v1.DiagnosticsService":     {"Diagnose": check},

		"knobot.conversation.v1.IngestService": {every: peers},
		"knobot.conversation.v1.UserService": {
			"GetUser": view, "ListUsers": scoped(view, "integration_id"),
			"ExportUser": inspect, "DeleteUser": own, "GetErasure": view,
		},
		"knobot.conversation.v1.ConversationService": {
			"GetConversation": view, "ListConversations": scoped(view, "integration_id"), "ListMessages": view,
			"CloseConversation": work, "ResumeConversation": work,
			"HandOverConversation": work, "ReplyToConversation": work,
		},
		"knobot.conversation.v1.WebhookLogService": {
			"GetWebhookLog": view, "ListWebhookLogs": view, "CountWebhookLogs": view, "ReplayWebhookLog": work,
		},

		// A subscription tells an address of the caller's choice what all customers write.
		"knobot.conversation.v1.SubscriptionService": {
			"GetSubscription": view, "ListSubscriptions": view, "ListSubscriptionDeliveries": view, "RetrySubscriptionDelivery": work,
			"CreateSubscription": own, "UpdateSubscription": own, "DeleteSubscription": own, "RotateSubscriptionSecret": own,
			"ReSealSubscriptionSecrets": own,
		},

		"knobot.rag.v1.KnowledgeBaseService": {
			"GetKnowledgeBase": view, "ListKnowledgeBases": view, "SearchPassages": view,
			"CreateKnowledgeBase": work, "UpdateKnowledgeBase": work, "ReindexKnowledgeBase": work, "DeleteKnowledgeBase": own,
		},
		"knobot.rag.v1.DocumentService": {
			"GetDocument": view, "ListDocuments": view, "CreateDocument": work, "UploadDocument": work, "DeleteDocument": work,
		},
		"knobot.rag.v1.IngestionService": {"GetIngestion": view, "ListIngestions": view, "WatchIngestion": view},
		"knobot.rag.v1.SourceService": {
			"GetSource": view, "ListSources": view, "ListSourcePages": view,
			"CreateSource": work, "RefreshSource": work, "DeleteSource": work,
		},
		// A model is paid for what these ask.
		"knobot.rag.v1.AnswerService": {
			"GetCapabilities": view, "GenerateAnswer": work, "StreamAnswer": work, "Transcribe": work, "Forget": peers,
		},
		"knobot.rag.v1.EvaluationService": {"Evaluate": work},
		"knobot.rag.v1.FeedbackService": {
			"ListUnansweredQuestions": view, "ListDocumentFeedback": view, "DismissUnansweredQuestion": work, "RecordFeedback": peers,
		},
		"knobot.rag.v1.UsageService": {"ListUsage": view},

		"knobot.channels.v1.ChannelService":      {"GetMedia": view, "UploadMedia": work, every: peers},
		"knobot.channels.v1.VerificationService": {every: peers},
		"knobot.channels.v1.IntegrationService": {
			"GetIntegration": scoped(view, "id"), "ListIntegrations": view, "GetWebhookInfo": scoped(view, "integration_id"),
			"UpdateIntegration": scoped(own, "integration.id"), "SetWebhook": scoped(own, "integration_id"),
			"CheckIntegration": scoped(check, "id"), "RotateWebhookSecret": scoped(own, "id"), "ReSealSecrets": own,
			"CreateIntegration": own, "DeleteIntegration": own, "WatchIntegrations": peers,
		},
	}
}

func scoped(r Rule, path string) Rule {
	r.Scope = path
	return r
}
