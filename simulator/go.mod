module github.com/knobot/knobot/simulator

go 1.26.0
