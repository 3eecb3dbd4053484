module github.com/knobot/knobot/services/conversation

go 1.26.0
