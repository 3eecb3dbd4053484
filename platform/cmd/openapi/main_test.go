package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func documentOf(paths string) string {
	return `{"openapi":"3.1.0","info":{"title":"T"},"servers":[],"security":[],"tags":[],"components":{},"paths":` + paths + `}`
}

func TestPathsOfOneResourceBecomeOne(t *testing.T) {
	t.Parallel()
	const id = `"parameters":[{"name":"NAME","in":"path"},{"name":"page_size","in":"query"}]`
	var out strings.Builder
	require.NoError(t, tidy(strings.NewReader(documentOf(`{
		"/bases/{knowledge_base}":{"get":{"summary":"Gets one. NOT_FOUND if\nthere is none.",`+strings.Replace(id, "NAME", "knowledge_base", 1)+`}},
		"/bases/{base.knowledge_base}":{"patch":{"summary":"Changes one.",`+strings.Replace(id, "NAME", "base.knowledge_base", 1)+`}}}`)), &out))
	var got document
	require.NoError(t, json.Unmarshal([]byte(out.String()), &got))
	require.Len(t, got.Paths, 1)
	methods := got.Paths["/bases/{knowledgeBase}"]
	require.Len(t, methods, 2)
	for _, operation := range methods {
		require.Equal(t, []any{map[string]any{"name": "knowledgeBase", "in": "path"}, map[string]any{"name": "page_size", "in": "query"}}, operation["parameters"])
	}
	require.Equal(t, "Gets one.", methods["get"]["summary"])
	require.Equal(t, "NOT_FOUND if there is none.", methods["get"]["description"])
	require.Equal(t, "Changes one.", methods["patch"]["summary"])
	require.NotContains(t, methods["patch"], "description")
}

func TestEveryCallSaysWhatItAnswersWithoutAKey(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, tidy(strings.NewReader(documentOf(`{"/a":{"get":{"responses":{"default":{"description":"E.","content":{"x":{}}}}}}}`)), &out))
	var got document
	require.NoError(t, json.Unmarshal([]byte(out.String()), &got))
	require.JSONEq(t, `{"default":{"description":"E.","content":{"x":{}}},"401":{"description":"The key is missing or not known.","content":{"x":{}}}}`,
		marshalled(t, got.Paths["/a"]["get"]["responses"]))
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func TestMethodOfOnePathTwiceIsRefused(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := tidy(strings.NewReader(documentOf(`{"/a/{id}":{"get":{}},"/a/{thing.id}":{"get":{}}}`)), &out)
	require.ErrorContains(t, err, "get /a/{id} stands there twice")
	require.Empty(t, out.String())
}

func TestUnknownPartOfADocumentIsRefusedNotDropped(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.Error(t, tidy(strings.NewReader(`{"openapi":"3.1.0","webhooks":{}}`), &out))
}

func TestCallsOfOneNameGetANameEach(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, tidy(strings.NewReader(documentOf(`{
		"/a/rag": {"get": {"operationId": "D_Diagnose"}}, "/a/channels": {"get": {"operationId": "D_Diagnose"}}, "/b": {"get": {"operationId": "B"}}
	}`)), &out))
	for _, id := range []string{"D_Diagnose_rag", "D_Diagnose_channels", "B"} {
		require.Contains(t, out.String(), `"operationId": "`+id+`"`)
	}
}
