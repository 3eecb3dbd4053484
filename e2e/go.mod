module github.com/knobot/knobot/e2e

go 1.26.0
