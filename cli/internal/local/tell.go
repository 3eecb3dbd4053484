package local

import (
	"strings"
	"time"
)

// tell says where to chat and how to call the services.
func (s *stack) tell() {
	s.say("")
	s.say("KnoBot is ready (%s).", time.Since(s.started).Round(100*time.Millisecond))
	s.say("")
	if s.whatsapp || s.telegram {
		s.say("  Chat in the browser    http://%s/", s.env["KNOBOT_SIMULATOR_ADDR"])
		for _, platform := range s.platforms() {
			s.say("  Chat in a terminal     bin/knobot chat --platform %s", platform)
		}
	}
	if !s.whatsapp || !s.telegram {
		s.say("  Webhooks               http://%s/api/integrations/webhooks/ (tunnel this port, see docs/%s.md)",
			s.env["KNOBOT_HTTP_ADDR"], strings.Join(s.connected(), ".md and docs/"))
	}
	s.say("  Numbers and bots       bin/knobot integrations")
	s.say("  The last webhooks      bin/knobot logs")
	s.say("  The REST API           http://%s/api/docs", s.env["KNOBOT_ADMIN_ADDR"])
	s.say("  Keys of the API        bin/knobot keys (docs/access.md)")
	s.say("  Call it by gRPC        grpcurl -plaintext %s list", s.env["KNOBOT_CONVERSATION_ADDR"])
	s.say("                         grpcurl -plaintext -d '{\"query\":\"¿A qué hora abren?\"}' %s knobot.rag.v1.KnowledgeBaseService/SearchPassages", s.env["KNOBOT_RAG_ADDR"])
	s.say("  Logs of the services   %s/logs/", s.DataDir)
	s.say("")
	s.say("Ctrl-C stops everything; the data stays in %s.", s.DataDir)
}

func (s *stack) platforms() []string { return pick(s.whatsapp, s.telegram) }

func (s *stack) connected() []string { return pick(!s.whatsapp, !s.telegram) }

func pick(whatsapp, telegram bool) []string {
	var names []string
	if whatsapp {
		names = append(names, "whatsapp")
	}
	if telegram {
		names = append(names, "telegram")
	}
	return names
}
