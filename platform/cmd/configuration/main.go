// Command configuration prints docs/configuration.md.
package main

import (
	"log"
	"os"

	"github.com/knobot/knobot/platform/env"
)

func main() {
	if err := env.WriteMarkdown(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
