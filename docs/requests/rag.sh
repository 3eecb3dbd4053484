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

# From which confidence on it answers; `knobot eval --apply` finds out the best. Left out of knowledge_base, the service's own.
grpcurl -plaintext -d "{\"knowledge_base\": {\"name\": \"$kb\", \"answer_threshold\": 0.3}, \"update_mask\": {\"paths\": [\"answer_threshold\"]}}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/UpdateKnowledgeBase

## DocumentService

# bytes travel as base64 in JSON. The same name again makes version 2, the same content again is no work.
document=$(grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"name\": \"horario.md\", \"content\": \"$content\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/CreateDocument | field id)

grpcurl -plaintext -d "{\"id\": \"$document\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/GetDocument

# A stream: the metadata first, then the content in pieces. It returns at once, and the document is made in the background.
ingestion=$(grpcurl -plaintext -d "{\"metadata\": {\"knowledge_base\": \"$kb\", \"name\": \"horario-2.md\"}} {\"content\": \"$content\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/UploadDocument | field id)

## IngestionService

# The stream ends when the ingestion does.
grpcurl -plaintext -max-time 60 -d "{\"id\": \"$ingestion\"}" 127.0.0.1:9102 knobot.rag.v1.IngestionService/WatchIngestion

grpcurl -plaintext -d "{\"id\": \"$ingestion\"}" 127.0.0.1:9102 knobot.rag.v1.IngestionService/GetIngestion

grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.IngestionService/ListIngestions

## SourceService

# A page, or a sitemap, that is fetched in the background and again every day. This one has no server.
source=$(grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"url\": \"https://tienda.example/sitemap.xml\", \"refresh_interval\": \"86400s\"}" 127.0.0.1:9102 knobot.rag.v1.SourceService/CreateSource | field id)

grpcurl -plaintext -d "{\"id\": \"$source\"}" 127.0.0.1:9102 knobot.rag.v1.SourceService/GetSource

grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.SourceService/ListSources

grpcurl -plaintext -d "{\"id\": \"$source\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.SourceService/ListSourcePages

grpcurl -plaintext -d "{\"id\": \"$source\"}" 127.0.0.1:9102 knobot.rag.v1.SourceService/RefreshSource

grpcurl -plaintext -d "{\"id\": \"$source\"}" 127.0.0.1:9102 knobot.rag.v1.SourceService/DeleteSource

## DocumentService, continued

grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/ListDocuments

# The search index made anew, beside the one that answers.
grpcurl -plaintext -d "{\"name\": \"$kb\"}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/ReindexKnowledgeBase

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

# What is kept of one customer goes: their count in the daily limits, what they asked last in vain, what they thought of answers.
grpcurl -plaintext -d '{"customer_key": "example", "request_ids": ["example"]}' 127.0.0.1:9102 knobot.rag.v1.AnswerService/Forget

# Questions with known answers, measured: the options, then a question a line. `knobot eval` reads them from a file.
grpcurl -plaintext -d @ 127.0.0.1:9102 knobot.rag.v1.EvaluationService/Evaluate <<JSON
{"options": {"knowledge_base": "$kb"}}
{"question": {"id": "1", "turns": [{"role": "ROLE_CUSTOMER", "text": "¿A qué hora abren los sábados?"}], "answers": ["10:00 a 14:00"], "documents": ["horario.md"]}}
{"question": {"id": "2", "turns": [{"role": "ROLE_CUSTOMER", "text": "¿Cuántas lunas tiene Júpiter?"}]}}
JSON

## FeedbackService

# What was asked in vain, the question about Jupiter among it, most frequent first.
question=$(grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.FeedbackService/ListUnansweredQuestions | field id)

# Taken off the list for good.
grpcurl -plaintext -d "{\"id\": \"$question\"}" 127.0.0.1:9102 knobot.rag.v1.FeedbackService/DismissUnansweredQuestion

# What a customer thought of an answer; without "positive" it is taken back.
grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"request_id\": \"example\", \"document_ids\": [\"$document\"], \"positive\": true}" 127.0.0.1:9102 knobot.rag.v1.FeedbackService/RecordFeedback

# Counted by the documents that the answers cite.
grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\"}" 127.0.0.1:9102 knobot.rag.v1.FeedbackService/ListDocumentFeedback

## UsageService

# What models wrote and cost, by day: nothing where none is configured.
grpcurl -plaintext -d "{\"knowledge_base\": \"$kb\", \"start_day\": \"2026-11-01\", \"page_size\": 10}" 127.0.0.1:9102 knobot.rag.v1.UsageService/ListUsage

## DiagnosticsService: what `knobot doctor` asks

grpcurl -plaintext 127.0.0.1:9102 knobot.rag.v1.DiagnosticsService/Diagnose

## Removal

grpcurl -plaintext -d "{\"id\": \"$document\"}" 127.0.0.1:9102 knobot.rag.v1.DocumentService/DeleteDocument

grpcurl -plaintext -d "{\"name\": \"$kb\"}" 127.0.0.1:9102 knobot.rag.v1.KnowledgeBaseService/DeleteKnowledgeBase
