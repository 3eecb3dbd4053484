package llm

import (
	"encoding/base64"

	"github.com/openai/openai-go/v3"
)

func message(m Message) openai.ChatCompletionMessageParamUnion {
	switch {
	case m.Role == System:
		return openai.SystemMessage(m.Text)
	case m.Role == Assistant:
		return openai.AssistantMessage(m.Text)
	case len(m.Files) > 0:
		return openai.UserMessage(parts(m))
	}
	return openai.UserMessage(m.Text)
}

// parts are the text, if there is any, and after it the files.
func parts(m Message) []openai.ChatCompletionContentPartUnionParam {
	var out []openai.ChatCompletionContentPartUnionParam
	if m.Text != "" {
		out = append(out, openai.TextContentPart(m.Text))
	}
	for _, f := range m.Files {
		out = append(out, part(f))
	}
	return out
}

const pdf = "application/pdf"

// part carries a file inside the request: the provider fetches nothing. Its own name stays here, because that is text of
// the customer's in a place where no model expects any.
func part(f File) openai.ChatCompletionContentPartUnionParam {
	data := "data:" + f.MIMEType + ";base64," + base64.StdEncoding.EncodeToString(f.Content)
	if f.MIMEType == pdf {
		return openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{
			Filename: openai.String("document.pdf"), FileData: openai.String(data),
		})
	}
	return openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: data})
}
