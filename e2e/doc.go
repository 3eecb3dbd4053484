// Package e2e tests KnoBot from outside: the built programs against a real PostgreSQL, a real Weaviate and the simulator.
package e2e
