// Command openapi tidies the OpenAPI document that it reads: parameters in paths get the names that they have in JSON, paths
// that then are the same become one, of a long comment the first sentence is the summary, and every call says what it answers
// without a key.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"strings"
)

// document keeps the order of OpenAPI's own text; what is not changed stays raw.
type document struct {
	OpenAPI    json.RawMessage                       `json:"openapi"`
	Info       json.RawMessage                       `json:"info"`
	Servers    json.RawMessage                       `json:"servers"`
	Security   json.RawMessage                       `json:"security"`
	Tags       json.RawMessage                       `json:"tags"`
	Paths      map[string]map[string]map[string]any  `json:"paths"`
	Components map[string]map[string]json.RawMessage `json:"components"`
}

func main() {
	if err := tidy(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func tidy(r io.Reader, w io.Writer) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var d document
	if err := decoder.Decode(&d); err != nil {
		return err
	}
	paths, err := fold(d.Paths)
	if err != nil {
		return err
	}
	d.Paths = paths
	distinguish(paths)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// fold puts the methods of paths together that differ in the names of their parameters only, which OpenAPI forbids: the id of
// what is read is a field, that of what is changed a field of a field.
func fold(paths map[string]map[string]map[string]any) (map[string]map[string]map[string]any, error) {
	out := map[string]map[string]map[string]any{}
	for path, methods := range paths {
		named := parameter.ReplaceAllStringFunc(path, func(p string) string { return "{" + jsonName(strings.Trim(p, "{}")) + "}" })
		if out[named] == nil {
			out[named] = map[string]map[string]any{}
		}
		for method, operation := range methods {
			if out[named][method] != nil {
				return nil, fmt.Errorf("%s %s stands there twice", method, named)
			}
			renameParameters(operation)
			splitSummary(operation)
			askForKey(operation)
			out[named][method] = operation
		}
	}
	return out, nil
}

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// jsonName is a field's name in JSON, without the message that it stands in.
func jsonName(field string) string {
	words := strings.Split(field[strings.LastIndex(field, ".")+1:], "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func renameParameters(operation map[string]any) {
	parameters, _ := operation["parameters"].([]any)
	for _, p := range parameters {
		if p, ok := p.(map[string]any); ok && p["in"] == "path" {
			name, _ := p["name"].(string)
			p["name"] = jsonName(name)
		}
	}
}

func splitSummary(operation map[string]any) {
	comment, _ := operation["summary"].(string)
	sentence, rest, found := strings.Cut(strings.ReplaceAll(comment, "\n", " "), ". ")
	if !found || operation["description"] != nil {
		return
	}
	operation["summary"], operation["description"] = sentence+".", rest
}

// distinguish gives calls of one name a name each: services of the same name in several packages share theirs, and a client that
// is made of the document has one function for each.
func distinguish(paths map[string]map[string]map[string]any) {
	count := map[any]int{}
	each := func(do func(path string, operation map[string]any)) {
		for path, methods := range paths {
			for _, operation := range methods {
				do(path, operation)
			}
		}
	}
	each(func(_ string, operation map[string]any) { count[operation["operationId"]]++ })
	each(func(path string, operation map[string]any) {
		if id, ok := operation["operationId"].(string); ok && count[id] > 1 {
			operation["operationId"] = id + "_" + path[strings.LastIndex(path, "/")+1:]
		}
	})
}

// askForKey adds the answer to a call without a key, which looks like all other errors.
func askForKey(operation map[string]any) {
	responses, _ := operation["responses"].(map[string]any)
	if other, ok := responses["default"].(map[string]any); ok {
		responses["401"] = map[string]any{"description": "The key is missing or not known.", "content": other["content"]}
	}
}
