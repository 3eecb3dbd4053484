module github.com/knobot/knobot/cli

go 1.26.0
