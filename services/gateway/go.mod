module github.com/knobot/knobot/services/gateway

go 1.26.0
