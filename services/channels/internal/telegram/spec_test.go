package telegram_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/channels/internal/fakeapi"
	"github.com/knobot/knobot/services/channels/internal/reference"
)

// specification is the Bot API as data.
type specification struct {
	Methods map[string]specified `json:"methods"`
	Types   map[string]specified `json:"types"`
}

// specified is a method or a type.
type specified struct {
	Fields   []specifiedField `json:"fields"`
	Subtypes []string         `json:"subtypes"`
}

type specifiedField struct {
	Name     string   `json:"name"`
	Types    []string `json:"types"`
	Required bool     `json:"required"`
}

// checkCalls compares calls with the specification, if it is there: known method, known and required parameters, types.
func checkCalls(t *testing.T, calls []fakeapi.Call) {
	t.Helper()
	files := reference.Find("telegram/botapi-10.1.subset.json")
	if len(files) == 0 {
		return // the test itself goes on without
	}
	var spec specification
	reference.Load(t, files[0], &spec)
	for _, call := range calls {
		method, known := spec.Methods[path.Base(call.Path)]
		require.True(t, known, call.Path)
		require.NoError(t, spec.checkObject(path.Base(call.Path), method, call.Body))
	}
}

func (s specification) checkObject(name string, of specified, value map[string]any) error {
	rest := maps.Clone(value)
	for _, field := range of.Fields {
		v, present := rest[field.Name]
		delete(rest, field.Name)
		switch {
		case !present && field.Required:
			return fmt.Errorf("%s lacks %s", name, field.Name)
		case present && !slices.ContainsFunc(field.Types, func(kind string) bool { return s.isKind(kind, v) }):
			return fmt.Errorf("%s.%s is no %v", name, field.Name, field.Types)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s has unknown %v", name, slices.Collect(maps.Keys(rest)))
	}
	return nil
}

func (s specification) isKind(kind string, value any) bool {
	if element, ok := strings.CutPrefix(kind, "Array of "); ok {
		list, ok := value.([]any)
		return ok && !slices.ContainsFunc(list, func(v any) bool { return !s.isKind(element, v) })
	}
	switch kind {
	case "String":
		_, ok := value.(string)
		return ok
	case "Integer":
		n, ok := value.(float64)
		return ok && n == float64(int64(n))
	case "Boolean", "True":
		_, ok := value.(bool)
		return ok
	}
	object, ok := value.(map[string]any)
	if !ok {
		return false
	}
	of := s.Types[kind]
	if len(of.Subtypes) > 0 {
		return slices.ContainsFunc(of.Subtypes, func(sub string) bool { return s.isKind(sub, value) })
	}
	return s.checkObject(kind, of, object) == nil
}

// TestSpecificationCheckerSeesFaults keeps the checker honest.
func TestSpecificationCheckerSeesFaults(t *testing.T) {
	t.Parallel()

	var spec specification
	reference.Load(t, reference.Glob(t, "telegram/botapi-10.1.subset.json")[0], &spec)
	for body, want := range map[string]string{
		`{"chat_id":1,"text":"a"}`:            "",
		`{"text":"a"}`:                        "lacks chat_id",
		`{"chat_id":1,"text":"a","textt":""}`: "unknown [textt]",
		`{"chat_id":1.5,"text":"a"}`:          "chat_id is no",
		`{"chat_id":1,"text":"a","reply_markup":{"inline_keyboard":[[{"text":1}]]}}`: "reply_markup is no",
	} {
		var value map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		err := spec.checkObject("sendMessage", spec.Methods["sendMessage"], value)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}

// TestRecordedResponsesHaveTheirClass serves every recorded answer to a send.
func TestRecordedResponsesHaveTheirClass(t *testing.T) {
	t.Parallel()

	want := recordedClasses()
	for _, file := range reference.Glob(t, "telegram/responses/*.json") {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer reference.Response
			reference.Load(t, file, &answer)
			_, client := setup(t, fakeapi.Answer{Status: answer.Status, Header: answer.Headers, Body: string(answer.Bytes())})
			id, err := client.Send(t.Context(), credentials(), html("a"))
			if name == "ok_message.json" {
				require.NoError(t, err)
				require.Equal(t, "101", id)
				return
			}
			require.Contains(t, want, name, "a new recording: say what it means")
			got := failure(t, err)
			got.Message = ""
			require.Equal(t, want[name], *got)
		})
	}
}

func TestListedDescriptionsHaveTheirClass(t *testing.T) {
	t.Parallel()

	content, err := os.ReadFile(reference.Glob(t, "telegram/errors.tsv")[0])
	require.NoError(t, err)
	classes := listedClasses()
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		var code int
		_, err := fmt.Sscan(columns[0], &code)
		require.NoError(t, err)
		t.Run(columns[1], func(t *testing.T) {
			t.Parallel()
			_, client := setup(t, refused(code, columns[1]))
			_, err := client.Send(t.Context(), credentials(), html("a"))
			require.Contains(t, classes[columns[2]], failure(t, err).Class, line)
		})
	}
}
