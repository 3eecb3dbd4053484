module github.com/knobot/knobot/platform

go 1.26.0
