package conversation

// ExportedConversation is a conversation that a customer takes part in.
type ExportedConversation struct {
	Conversation
	// Group says that others do too.
	Group bool
}

// ExportedMessage is a message with where it came from.
type ExportedMessage struct {
	Message
	// Own says that the customer wrote it.
	Own      bool
	Webhooks []WebhookReference
}

// WebhookReference names a delivery and the payload that it had.
type WebhookReference struct {
	Log           LogID  `json:"log_id"`
	PayloadSHA256 string `json:"payload_sha256,omitempty"`
}
