package command

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// maxDocument is the rag service's own limit in bytes; asking here saves sending what it would refuse.
const maxDocument = 8 << 20

// ingestCommand stores documents.
type ingestCommand struct {
	ragPeer
	KnowledgeBase string   `default:"default" help:"The knowledge base."`
	Paths         []string `arg:"" type:"existingpath" help:"Files (.md, .txt, .html) or folders of them."`
}

// Run stores every file and says what became of it. One that is refused does not hold up the others.
func (c ingestCommand) Run(ctx context.Context, s streams) error {
	conn, err := dial(c.RAG)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	documents := ragv1.NewDocumentServiceClient(conn)

	files, err := documentsIn(c.Paths)
	if err != nil {
		return err
	}
	failed := 0
	for i, file := range files {
		fmt.Fprintf(s.out, "[%d/%d] %s: ", i+1, len(files), file.name)
		note, err := c.store(ctx, documents, file)
		if err != nil {
			failed++
			note = readable(err)
		}
		fmt.Fprintln(s.out, note)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d documents were not stored", failed, len(files))
	}
	return nil
}

type documentFile struct {
	name string // slash-separated, below the path that was given
	path string
}

// documentsIn lists the files at the paths, folders walked in lexical order, hidden entries and other types left out.
func documentsIn(paths []string) ([]documentFile, error) {
	var files []documentFile
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if path != root && strings.HasPrefix(entry.Name(), ".") {
				if entry.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			if entry.IsDir() || (path != root && !isDocument(path)) {
				return nil
			}
			name, err := filepath.Rel(root, path)
			if err != nil || name == "." {
				name = filepath.Base(path)
			}
			files = append(files, documentFile{name: filepath.ToSlash(name), path: path})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", root, err)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no documents (.md, .txt, .html) at %s", strings.Join(paths, ", "))
	}
	return files, nil
}

func isDocument(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".md", ".markdown", ".txt", ".html", ".htm":
		return true
	}
	return false
}

func (c ingestCommand) store(ctx context.Context, documents ragv1.DocumentServiceClient, file documentFile) (string, error) {
	content, err := readBounded(file.path)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := documents.CreateDocument(ctx, &ragv1.CreateDocumentRequest{
		KnowledgeBase: c.KnowledgeBase, Name: file.name, Content: content,
	})
	if err != nil {
		return "", err
	}
	if r.GetUnchanged() {
		return "unchanged", nil
	}
	return fmt.Sprintf("%d passages, version %d", r.GetDocument().GetPassageCount(), r.GetDocument().GetVersion()), nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the person at the terminal names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxDocument {
		return nil, fmt.Errorf("larger than %d MiB", maxDocument>>20)
	}
	return content, nil
}
