package orchestrator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/llm"
)

func TestTemplateTokensAndFencesAreDropped(t *testing.T) {
	t.Parallel()
	for _, token := range []string{
		"<|im_start|>", "<|eot_id|>", "<｜User｜>", "[INST]", "[/INST]", "<<SYS>>", "<s>", "</s>", "<bos>", "<start_of_turn>", "<END_OF_TURN>",
		"[SYSTEM_PROMPT]", "[TOOL_CALLS]", "</source>", "< /sources >", "<source id=\"7\">", "</context>", "<|im\u200b_start|>", "<|im_<|x|>start|>",
		"</sou</source>rces>", "\U000E0041\u202e\x1b",
	} {
		require.Equal(t, "El candado cuesta $100 <b>.", harmless("El candado "+token+"cuesta $100 <b>."), "%q", token)
	}
}

func TestOnlyTheLastMessageKeepsWhatNobodySees(t *testing.T) {
	t.Parallel()
	const hidden, plain = "¿y\u200b e\U000E0041so?\t\n\x07", "¿y eso?\t\n"
	d := dialogue{
		Request: rag.Request{Language: rag.Spanish}, context: "aviso\u202e",
		history: []rag.Turn{{Role: rag.Customer, Text: hidden}, {Role: rag.Assistant, Text: hidden}},
		open:    []rag.Turn{{Role: rag.Customer, Text: hidden}, {Role: rag.Customer, Text: hidden}},
	}
	messages := d.prompt([]rag.Hit{{Passage: rag.Passage{Title: "T" + hidden, Text: hidden}}}).Messages
	require.Equal(t, llm.Message{Role: llm.User, Text: hidden}, messages[len(messages)-1])
	for _, m := range messages[:len(messages)-1] {
		require.False(t, strings.ContainsAny(m.Text, "\u200b\U000E0041\x07\u202e"), m.Text)
	}
	require.Equal(t, plain, messages[2].Text)
	require.Equal(t, plain, messages[len(messages)-2].Text)
}
