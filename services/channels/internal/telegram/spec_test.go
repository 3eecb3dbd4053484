package telegram_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
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
	spec.addFileMethods()
	for _, call := range calls {
		name := path.Base(call.Path)
		method, known := spec.Methods[name]
		require.True(t, known, call.Path)
		require.NoError(t, spec.checkFiles(name, method, call))
		require.NoError(t, spec.checkObject(name, method, call.Body))
	}
}

// addFileMethods makes the methods that the reference's part of the specification leaves out, of those that it has: all that
// send a file have the parameters of sendDocument, but for the file's own name, and a sticker has no caption.
func (s specification) addFileMethods() {
	document := s.Methods["sendDocument"].Fields
	for method, field := range map[string]string{"sendVideo": "video", "sendAudio": "audio", "sendVoice": "voice", "sendSticker": "sticker"} {
		if _, known := s.Methods[method]; known {
			continue
		}
		var fields []specifiedField
		for _, f := range document {
			if f.Name == "document" {
				f.Name = field
			}
			if method != "sendSticker" || !strings.Contains(f.Name, "caption") && f.Name != "parse_mode" {
				fields = append(fields, f)
			}
		}
		s.Methods[method] = specified{Fields: fields}
	}
}

// checkFiles checks that each file of a form is where the method takes one, and counts it as a parameter.
func (s specification) checkFiles(name string, of specified, call fakeapi.Call) error {
	for field := range call.Files {
		takes := func(f specifiedField) bool { return f.Name == field && slices.Contains(f.Types, "InputFile") }
		if !slices.ContainsFunc(of.Fields, takes) {
			return fmt.Errorf("%s takes no file as %s", name, field)
		}
		call.Body[field] = "the file"
	}
	return nil
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
	spec.addFileMethods()
	for field, want := range map[string]string{"voice": "", "caption": "takes no file as caption"} {
		call := fakeapi.Call{Body: map[string]any{"chat_id": float64(1)}, Files: map[string]fakeapi.File{field: {}}}
		err := spec.checkFiles("sendVoice", spec.Methods["sendVoice"], call)
		if want == "" {
			require.NoError(t, err)
			require.NoError(t, spec.checkObject("sendVoice", spec.Methods["sendVoice"], call.Body))
			continue
		}
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, spec.checkObject("sendSticker", spec.Methods["sendSticker"], map[string]any{
		"chat_id": float64(1), "sticker": "https://example.com/a.webp", "caption": "a",
	}), "unknown [caption]")
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

// TestListedDescriptionsHaveTheirClass walks the reference's table: every line has one class, and each exception a reason.
func TestListedDescriptionsHaveTheirClass(t *testing.T) {
	t.Parallel()

	content, err := os.ReadFile(reference.Glob(t, "telegram/errors.tsv")[0])
	require.NoError(t, err)
	classes, exceptions := listedClasses(), listedExceptions()
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")[1:]
	require.Greater(t, len(lines), 20)
	for _, line := range lines {
		columns := strings.Split(line, "\t")
		code, err := strconv.Atoi(columns[0])
		require.NoError(t, err)
		t.Run(columns[0]+" "+columns[1], func(t *testing.T) {
			t.Parallel()
			want, ok := exceptions[columns[1]]
			if !ok {
				want, ok = classes[columns[2]]
			}
			require.True(t, ok, "a new class: say what it means")
			answer := refused(code, columns[1])
			if columns[2] == "migrate" {
				answer.Body = strings.Replace(answer.Body, "}", `,"parameters":{"migrate_to_chat_id":-100123}}`, 1)
			}
			_, client := setup(t, answer)
			if columns[2] == "ok" {
				require.NoError(t, client.AnswerButton(t.Context(), credentials(), "4382", ""))
				return
			}
			_, err := client.Send(t.Context(), credentials(), html("a"))
			require.Equal(t, want, failure(t, err).Class, line)
		})
	}
}
