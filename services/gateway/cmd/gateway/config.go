package main

import (
	"github.com/knobot/knobot/platform/env"
	"github.com/knobot/knobot/platform/service"
)

// Config is what the gateway reads from the environment.
type Config struct {
	service.Config
	HTTPAddr         string     `env:"KNOBOT_HTTP_ADDR" envDefault:"127.0.0.1:9000"`
	AdminAddr        string     `env:"KNOBOT_ADMIN_ADDR" envDefault:"127.0.0.1:9080"`
	ConversationAddr string     `env:"KNOBOT_CONVERSATION_ADDR" envDefault:"127.0.0.1:9101"`
	RAGAddr          string     `env:"KNOBOT_RAG_ADDR" envDefault:"127.0.0.1:9102"`
	ChannelsAddr     string     `env:"KNOBOT_CHANNELS_ADDR" envDefault:"127.0.0.1:9103"`
	AdminKey         env.Secret `env:"KNOBOT_ADMIN_API_KEY"`
}
