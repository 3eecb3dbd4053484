package reader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// readPairs reads questions and answers in JSON: an array of objects, or one object after the other, each with a question
// (or pregunta, pergunta) and an answer (or respuesta, resposta).
func readPairs(content []byte, out *markdown) error {
	if !utf8.Valid(content) {
		return fmt.Errorf("%w: it is not UTF-8", ErrUnreadable)
	}
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))
	decoder := json.NewDecoder(bytes.NewReader(content))
	inArray := bytes.HasPrefix(content, []byte("["))
	if inArray {
		if _, err := decoder.Token(); err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
	}
	for !inArray || decoder.More() {
		var object map[string]json.RawMessage
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) && !inArray {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		question, answer := field(object, questionNames), field(object, answerNames)
		if question == "" || answer == "" {
			return fmt.Errorf("%w: an object without question or answer", ErrUnreadable)
		}
		if pair(out, question, answer); out.overflow {
			return ErrTooLarge
		}
	}
	if _, err := decoder.Token(); err != nil { // the array's end
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

// field returns the text of the first name that the object has.
func field(object map[string]json.RawMessage, names []string) string {
	for _, name := range names {
		for key, value := range object {
			var text string
			if folded(key) == name && json.Unmarshal(value, &text) == nil && text != "" {
				return strings.TrimSpace(text)
			}
		}
	}
	return ""
}
