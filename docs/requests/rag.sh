#!/usr/bin/env bash
# Every RPC of the rag service. It works in a knowledge base of its own and removes it at the end.
set -euo pipefail
. "$(dirname "$0")/demo.bash"
kb=requests-$(unique)
content=$(base64 <<'MARKDOWN' | tr -d '\n'
# Horario

Abrimos de lunes a viernes de 9:00 a 18:00 y los sábados de 10:00 a 14:00. Los domingos cerramos.
MARKDOWN
)
set -v

# What the service offers.
grpcurl -plaintext 127.0.0.1:9102 list
grpcurl -plaintext 127.0.0.1:9102 describe knobot.rag.v1.AnswerService

## KnowledgeBaseService

grpcurl -plaintext -d "{\"name\": \"$kb\", \"display_name\": \"Ejemplo\"}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/CreateKnowledgeBase

grpcurl -plaintext -d "{\"name\": \"$kb\"}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/GetKnowledgeBase

grpcurl -plaintext -d '{"page_size": 10}' 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/ListKnowledgeBases

## DocumentService

# bytes travel as base64 in JSON. The same name again makes version 2, the same content again is no work.
document=$(grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"name\": \"horario.md\", \"content\": \"$content\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/CreateDocument | field id)

grpcurl -plaintext -d "{\"id\": \"$document\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/GetDocument

grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/ListDocuments

## Search and answer

grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"query\": \"¿A qué hora abren los sábados?\", \"top_k\": 3}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/SearchPassages

grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"turns\": [{\"role\": \"ROLE_CUSTOMER\", \"text\": \"¿A qué hora abren los sábados?\"}]}" 127.0.0.1:9102 knobot.rag.v1.AnswerService/GenerateAnswer

# Nothing relevant is found: outcome OUTCOME_DECLINED, and the text says so.
grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"turns\": [{\"role\": \"ROLE_CUSTOMER\", \"text\": \"¿Cuántas lunas tiene Júpiter?\"}]}" 127.0.0.1:9102 knobot.rag.v1.AnswerService/GenerateAnswer

# A stream: drafts while a model writes, then the answer. Without a model the answer comes at once.
grpcurl -plaintext -d "{\"request\": {\"knowledge_base\": \"$kb\", \"turns\": [{\"role\": \"ROLE_CUSTOMER\", \"text\": \"¿A qué hora abren los sábados?\"}]}}" 127.0.0.1:9102 knobot.rag.v1.AnswerService/StreamAnswer

# What the configured models can do: by default there are none.
grpcurl -plaintext 127.0.0.1:9102 knobot.rag.v1.AnswerService/GetCapabilities

# A voice note is a stream: its header, then its bytes. Without KNOBOT_TRANSCRIPTION_MODEL it is refused, which grpcurl ends
# with status 73.
grpcurl -plaintext -d '{"header": {"mime_type": "audio/ogg"}} {"chunk": "T2dnUw=="}' 127.0.0.1:9102 knobot.rag.v1.AnswerService/Transcribe || [ $? -eq 73 ]

## UsageService

# What models wrote and cost, by day: nothing where none is configured.
grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"start_day\": \"2026-11-01\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.UsageService/ListUsage

## Removal

grpcurl -plaintext -d "{\"id\": \"$document\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/DeleteDocument

grpcurl -plaintext -d "{\"name\": \"$kb\"}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/DeleteKnowledgeBase
