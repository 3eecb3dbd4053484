package env

import (
	"fmt"
	"io"
)

// WriteMarkdown writes the page that lists every setting.
func WriteMarkdown(w io.Writer) error {
	if _, err := io.WriteString(w, configurationHead); err != nil {
		return err
	}
	for _, n := range Names() {
		file := ""
		if n.Secret {
			file = "yes"
		}
		if _, err := fmt.Fprintf(w, "| `%s` | %s | %s |\n", n.Name, n.Meaning, file); err != nil {
			return err
		}
	}
	return nil
}

const configurationHead = `# Settings

Generated from the code by ` + "`make generate`" + `; do not edit. Every program reads its settings from the environment, and one set
serves all of them: a name that a program does not use is accepted, a ` + "`KNOBOT_`" + ` name that none uses is refused (but
` + "`*_SERVICE_*` and `*_PORT*`" + `, which Kubernetes injects). All faults are reported at once. A name with "yes" is a secret: it may come
as ` + "`NAME_FILE`" + ` too, the path of a file that holds it.

| name | meaning | NAME_FILE |
|---|---|---|
`
