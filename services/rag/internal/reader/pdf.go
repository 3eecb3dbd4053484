package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klippa-app/go-pdfium"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

const (
	// maxPages bounds a PDF.
	maxPages = 3_000
	// pdfMemory bounds the memory of the reader of PDFs, in WebAssembly pages of 64 KiB: 256 MiB.
	pdfMemory = 256 << 20 >> 16
)

// pdfReader reads PDFs by PDFium in a WebAssembly sandbox, which has no files, no network and bounded memory, and can be
// stopped. It is started when the first PDF comes, and reads one at a time.
type pdfReader struct {
	cacheDir string
	turn     chan struct{}

	mu    sync.Mutex
	pool  pdfium.Pool
	cache wazero.CompilationCache
}

func newPDFReader(cacheDir string) *pdfReader {
	return &pdfReader{cacheDir: cacheDir, turn: make(chan struct{}, 1)}
}

// started returns the pool of sandboxes, compiled by now.
func (p *pdfReader) started() (pdfium.Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pool != nil {
		return p.pool, nil
	}
	p.cache = compilationCache(p.cacheDir)
	pool, err := webassembly.Init(webassembly.Config{
		MaxTotal: 1,
		// The library's default would show the sandbox the whole file system.
		FSConfig: wazero.NewFSConfig(),
		Stdout:   io.Discard,
		Stderr:   io.Discard,
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithCompilationCache(p.cache).
			WithCloseOnContextDone(true).
			WithMemoryLimitPages(pdfMemory),
	})
	if err != nil {
		return nil, fmt.Errorf("reader: start of the PDF reader: %w", err)
	}
	p.pool = pool
	return pool, nil
}

// compilationCache is in memory where the folder cannot be used: a container may have no place to write.
func compilationCache(dir string) wazero.CompilationCache {
	if dir != "" {
		if cache, err := wazero.NewCompilationCacheWithDir(dir); err == nil {
			return cache
		}
	}
	return wazero.NewCompilationCache()
}

func (p *pdfReader) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pool != nil {
		_ = p.pool.Close()
		_ = p.cache.Close(context.Background())
		p.pool = nil
	}
}

// read waits for its turn and for the sandbox, which do not count as time of the file.
func (p *pdfReader) read(ctx context.Context, content []byte, out *markdown) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil { // both were ready
		return context.Cause(ctx)
	}
	pool, err := p.started()
	if err != nil {
		return err
	}
	return timed(ctx, func(ctx context.Context) error { return readPDF(ctx, pool, content, out) })
}

func readPDF(ctx context.Context, pool pdfium.Pool, content []byte, out *markdown) error {
	instance, err := pool.GetInstanceWithContext(ctx)
	if err != nil {
		return fmt.Errorf("reader: a sandbox for the PDF: %w", err)
	}
	stopped := context.AfterFunc(ctx, func() { _ = instance.Kill() })
	pages, err := pagesOf(instance, content)
	if stopped() {
		_ = instance.Close() // without its document the sandbox goes, and its memory
	}
	if err != nil {
		return err
	}
	writePages(pages, out)
	return nil
}

// pagesOf returns the text of each page.
func pagesOf(instance pdfium.Pdfium, content []byte) ([]string, error) {
	document, err := instance.OpenDocument(&requests.OpenDocument{File: &content})
	if err != nil {
		return nil, pdfFailure(err)
	}
	count, err := instance.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: document.Document})
	if err != nil {
		return nil, pdfFailure(err)
	}
	if count.PageCount > maxPages {
		return nil, ErrTooLarge
	}
	pages, size := make([]string, 0, count.PageCount), 0
	for i := range count.PageCount {
		page, err := instance.GetPageText(&requests.GetPageText{
			Page: requests.Page{ByIndex: &requests.PageByIndex{Document: document.Document, Index: i}},
		})
		if err != nil {
			return nil, pdfFailure(err)
		}
		if size += len(page.Text); size > maxText {
			return nil, ErrTooLarge
		}
		pages = append(pages, strings.Clone(page.Text))
	}
	return pages, nil
}

// pdfFailure sorts an error of the library: all of them speak of the file. Those of a stopped sandbox do not count, because
// the context says so first.
func pdfFailure(err error) error {
	if errors.Is(err, pdferrors.ErrPassword) || errors.Is(err, pdferrors.ErrSecurity) {
		return ErrEncrypted
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}
