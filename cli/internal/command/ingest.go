package command

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	ragv1 "github.com/knobot/knobot/gen/knobot/rag/v1"
)

// ingestCommand stores documents.
type ingestCommand struct {
	KnowledgeBase string        `default:"default" help:"The knowledge base."`
	Every         time.Duration `help:"How often web addresses are fetched again, 15m to 720h; a day if not said."`
	Paths         []string      `arg:"" help:"Files (.md, .txt, .html, .csv, .json, .pdf, .docx, .xlsx), folders of them, or web addresses of pages and sitemaps."`
}

// Run stores every file and says what became of it, and adds every web address as a source. One that is refused does not
// hold up the others.
func (c ingestCommand) Run(ctx context.Context, s session) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	addresses, paths := c.split()
	if err := c.addSources(ctx, ragv1.NewSourceServiceClient(conn), addresses, s); err != nil || len(paths) == 0 {
		return err
	}
	files, err := documentsIn(paths)
	if err != nil {
		return err
	}
	up := uploader{
		documents: ragv1.NewDocumentServiceClient(conn), ingestions: ragv1.NewIngestionServiceClient(conn),
		knowledgeBase: c.KnowledgeBase,
	}
	return storeAll(ctx, up, files, s)
}

func (c ingestCommand) split() (addresses, paths []string) {
	for _, p := range c.Paths {
		if isWebAddress(p) {
			addresses = append(addresses, p)
		} else {
			paths = append(paths, p)
		}
	}
	return addresses, paths
}

func (c ingestCommand) addSources(ctx context.Context, sources ragv1.SourceServiceClient, addresses []string, s session) error {
	for _, address := range addresses {
		note, err := addSource(ctx, sources, &ragv1.CreateSourceRequest{
			KnowledgeBase: c.KnowledgeBase, Url: address, RefreshInterval: interval(c.Every),
		})
		if err != nil {
			return fmt.Errorf("%s: %s", address, readable(err))
		}
		fmt.Fprintf(s.out, "%s: %s\n", address, note)
	}
	return nil
}

func storeAll(ctx context.Context, up uploader, files []documentFile, s session) error {
	failed := 0
	for i, file := range files {
		line := newStatusLine(s.out, fmt.Sprintf("[%d/%d] %s: ", i+1, len(files), file.name))
		up.progress = line.show
		note, err := up.store(ctx, file)
		if err != nil {
			failed++
			note = readable(err)
		}
		line.end(note)
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
		return nil, fmt.Errorf("no documents (.md, .txt, .html, .csv, .json, .pdf, .docx, .xlsx) at %s", strings.Join(paths, ", "))
	}
	return files, nil
}

func isDocument(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".md", ".markdown", ".txt", ".html", ".htm", ".csv", ".tsv", ".json", ".jsonl", ".pdf", ".docx", ".xlsx":
		return true
	}
	return false
}
