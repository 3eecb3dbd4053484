module github.com/knobot/knobot/services/rag

go 1.26.0
