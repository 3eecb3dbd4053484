module github.com/knobot/knobot/services/channels

go 1.26.0
