module github.com/knobot/knobot/simulator

go 1.26.0

require (
	github.com/knobot/knobot/platform v0.0.0
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5
)

require github.com/caarlos0/env/v11 v11.4.2 // indirect

replace github.com/knobot/knobot/platform => ../platform

replace github.com/knobot/knobot/gen => ../gen
