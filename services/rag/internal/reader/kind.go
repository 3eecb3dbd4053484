package reader

import (
	"archive/zip"
	"bytes"
	"path"
	"strings"

	rag "github.com/knobot/knobot/services/rag"
)

// types are the media types by which a kind of file is asked for. What says nothing, as application/octet-stream, is not
// among them.
var types = map[string]rag.ContentType{
	string(rag.PlainText):           rag.PlainText,
	string(rag.Markdown):            rag.Markdown,
	"text/x-markdown":               rag.Markdown,
	string(rag.HTML):                rag.HTML,
	"application/xhtml+xml":         rag.HTML,
	string(rag.CSV):                 rag.CSV,
	"text/tab-separated-values":     rag.CSV,
	"application/csv":               rag.CSV,
	string(rag.QuestionsAndAnswers): rag.QuestionsAndAnswers,
	"application/jsonl":             rag.QuestionsAndAnswers,
	"application/x-ndjson":          rag.QuestionsAndAnswers,
	string(rag.PDF):                 rag.PDF,
	"application/x-pdf":             rag.PDF,
	string(rag.DOCX):                rag.DOCX,
	string(rag.XLSX):                rag.XLSX,
}

// endings are those of file names.
var endings = map[string]rag.ContentType{
	".txt": rag.PlainText, ".text": rag.PlainText,
	".md": rag.Markdown, ".markdown": rag.Markdown,
	".html": rag.HTML, ".htm": rag.HTML, ".xhtml": rag.HTML,
	".csv": rag.CSV, ".tsv": rag.CSV,
	".json": rag.QuestionsAndAnswers, ".jsonl": rag.QuestionsAndAnswers, ".ndjson": rag.QuestionsAndAnswers,
	".pdf": rag.PDF, ".docx": rag.DOCX, ".xlsx": rag.XLSX,
}

// Kind tells how to read a file: by the type given, else by its name's ending, else by its first bytes; what shows no sign
// of another kind is plain text. known is false for a type given that nobody here can read, and for such an archive.
func Kind(given rag.ContentType, name string, content []byte) (kind rag.ContentType, known bool) {
	base, _, _ := strings.Cut(string(given), ";")
	base = strings.ToLower(strings.TrimSpace(base))
	if base != "" && base != "application/octet-stream" {
		kind, known = types[base]
		return kind, known
	}
	if kind, known = endings[strings.ToLower(path.Ext(name))]; known {
		return kind, true
	}
	return sniff(content)
}

// sniffed is how far into a file its beginning is looked for.
const sniffed = 1024

func sniff(content []byte) (rag.ContentType, bool) {
	head := content[:min(len(content), sniffed)]
	start := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return rag.PDF, true
	case strings.HasPrefix(start, "pk\x03\x04"):
		return sniffZip(content)
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return rag.HTML, true
	}
	return rag.PlainText, true
}

func sniffZip(content []byte) (rag.ContentType, bool) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return "", false
	}
	for _, file := range archive.File {
		switch file.Name {
		case docxBody:
			return rag.DOCX, true
		case xlsxBook:
			return rag.XLSX, true
		}
	}
	return "", false
}
