// Package ingestion takes documents in, replaces and deletes them, and keeps the index equal to what PostgreSQL holds.
package ingestion

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/chunk"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// recipe names how passages are made; stored ones made otherwise are made again at the next start.
const recipe = "chunk " + chunk.Recipe + ", analysis " + analysis.Version

// Store keeps documents. Its errors are those of package postgres.
type Store interface {
	// CreateKnowledgeBase returns Conflict if the name is taken.
	CreateKnowledgeBase(ctx context.Context, name, displayName string) (rag.KnowledgeBase, error)
	// UpdateKnowledgeBase returns NotFound if there is none of this name.
	UpdateKnowledgeBase(ctx context.Context, name string, edit rag.KnowledgeBaseEdit) (rag.KnowledgeBase, error)
	// KnowledgeBase returns NotFound if there is none of this name.
	KnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBase, error)
	// Unchanged returns the document that a version would make no difference to.
	Unchanged(ctx context.Context, v rag.Version) (rag.Document, bool, error)
	// AddVersion stores a version that nothing finds yet.
	AddVersion(ctx context.Context, v rag.Version) error
	// Activate switches the document to the version at once.
	Activate(ctx context.Context, v rag.Version) (postgres.Activated, error)
	// Discard gives up a version that was not activated.
	Discard(ctx context.Context, version rag.VersionID) error
	// DeleteDocument returns NotFound if there is none.
	DeleteDocument(ctx context.Context, id rag.DocumentID) (rag.Garbage, error)
	// DeleteKnowledgeBase returns NotFound if there is none.
	DeleteKnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBaseID, error)

	// What the keeper works by.
	Garbage(ctx context.Context, pending time.Duration, limit int) ([]rag.Garbage, error)
	Remove(ctx context.Context, version rag.VersionID) error
	DeletedKnowledgeBases(ctx context.Context) ([]rag.KnowledgeBaseID, error)
	RemoveKnowledgeBase(ctx context.Context, id rag.KnowledgeBaseID) error
	Sizes(ctx context.Context) (map[rag.KnowledgeBaseID]int, error)
	ActiveVersions(ctx context.Context, kb rag.KnowledgeBaseID) ([]rag.VersionID, error)
	Outdated(ctx context.Context, recipe string) ([]rag.VersionID, error)
	Version(ctx context.Context, id rag.VersionID) (v rag.Version, found bool, err error)
}

// Index makes passages findable. It returns weaviate.ErrMissing and weaviate.ErrUnavailable.
type Index interface {
	Ensure(ctx context.Context, kb rag.KnowledgeBaseID) error
	Put(ctx context.Context, kb rag.KnowledgeBaseID, entries []weaviate.Entry) error
	DeleteVersion(ctx context.Context, kb rag.KnowledgeBaseID, version rag.VersionID) error
	Drop(ctx context.Context, kb rag.KnowledgeBaseID) error
	Count(ctx context.Context, kb rag.KnowledgeBaseID) (int, error)
}

// Library takes documents in and out. It is safe for concurrent use.
type Library struct {
	store    Store
	index    Index
	keeper   *Keeper
	analyzer *analysis.Analyzer
	log      *zap.Logger
}

// New returns a library and the keeper of its index, which has to be run.
func New(store Store, index Index, analyzer *analysis.Analyzer, log *zap.Logger) (*Library, *Keeper) {
	l := &Library{store: store, index: index, analyzer: analyzer, log: log}
	l.keeper = newKeeper(l)
	return l, l.keeper
}

// Upload is a document to take in.
type Upload struct {
	KnowledgeBase string
	Name          string
	Title         string
	SourceURI     string
	Type          rag.ContentType
	Content       []byte
	// Audience and Trust are empty for a public document of the company's.
	Audience rag.Audience
	Trust    rag.Trust
}

// Add stores a document, or a new content of the one of this name. When it returns, searches find the new content and
// not the old. unchanged says that this was its content already. It returns Invalid for a content that cannot be read,
// NotFound for an unknown knowledge base and Unavailable, storing nothing, while the index cannot be written.
func (l *Library) Add(ctx context.Context, up Upload) (doc rag.Document, unchanged bool, err error) {
	if err := up.validate(); err != nil {
		return rag.Document{}, false, err
	}
	kb, err := l.store.KnowledgeBase(ctx, up.KnowledgeBase)
	if err != nil {
		return rag.Document{}, false, err
	}
	version := rag.Version{
		ID: newVersion(), KnowledgeBase: kb.ID, Name: up.Name, Title: up.Title, SourceURI: up.SourceURI,
		Type: up.Type, Audience: up.Audience, Trust: up.Trust, Content: up.Content, Hash: up.hash(), Recipe: recipe,
	}
	if doc, same, err := l.store.Unchanged(ctx, version); err != nil || same {
		return doc, same, err
	}
	return l.process(ctx, version)
}

// process cuts, stores, indexes and activates a version, in this order: whatever breaks off on the way leaves the
// document as it was, and a version that the keeper removes.
func (l *Library) process(ctx context.Context, v rag.Version) (doc rag.Document, unchanged bool, err error) {
	entries, err := l.cut(&v)
	if err != nil {
		return rag.Document{}, false, err
	}
	if err := l.store.AddVersion(ctx, v); err != nil {
		return rag.Document{}, false, err
	}
	done, err := l.activate(ctx, v, entries)
	if err != nil {
		l.discard(ctx, v.ID)
		return rag.Document{}, false, err
	}
	if done.Replaced != "" {
		l.forget(ctx, rag.Garbage{KnowledgeBase: v.KnowledgeBase, Version: done.Replaced})
	}
	return done.Document, done.Unchanged, nil
}

func (l *Library) activate(ctx context.Context, v rag.Version, entries []weaviate.Entry) (postgres.Activated, error) {
	if err := l.put(ctx, v.KnowledgeBase, entries); err != nil {
		return postgres.Activated{}, err
	}
	return l.store.Activate(ctx, v)
}

// put writes entries, making the tenant where it is missing: for a new knowledge base, or in an index that lost it.
func (l *Library) put(ctx context.Context, kb rag.KnowledgeBaseID, entries []weaviate.Entry) error {
	err := l.index.Put(ctx, kb, entries)
	if errors.Is(err, weaviate.ErrMissing) {
		l.keeper.Lost(kb)
		if err = l.index.Ensure(ctx, kb); err == nil {
			err = l.index.Put(ctx, kb, entries)
		}
	}
	return indexFailure(err)
}

func indexFailure(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "the search index cannot be written now, try again").WithCause(err)
}

// forget removes a dead version from the index and then from the store. If that fails now, the keeper does it later;
// nothing finds it meanwhile, because every hit is checked against the store.
func (l *Library) forget(ctx context.Context, dead rag.Garbage) {
	err := l.index.DeleteVersion(ctx, dead.KnowledgeBase, dead.Version)
	if err == nil {
		err = l.store.Remove(ctx, dead.Version)
	}
	if err != nil {
		l.log.Warn("dead version left for later", zap.String("version", string(dead.Version)), zap.Error(err))
	}
}

// discard gives up a pending version, also when the caller has gone.
func (l *Library) discard(ctx context.Context, version rag.VersionID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := l.store.Discard(ctx, version); err != nil {
		l.log.Warn("pending version left for later", zap.String("version", string(version)), zap.Error(err))
	}
}

// Delete removes a document; when it returns, no search finds it. It returns NotFound if there is none.
func (l *Library) Delete(ctx context.Context, id rag.DocumentID) error {
	dead, err := l.store.DeleteDocument(ctx, id)
	if err != nil {
		return err
	}
	l.forget(ctx, dead)
	return nil
}

// cut fills in a version's title and passages and returns their entries for the index.
func (l *Library) cut(v *rag.Version) ([]weaviate.Entry, error) {
	outline, err := chunk.Split(chunk.Source{Name: v.Name, Title: v.Title, Type: v.Type, Content: v.Content})
	if err != nil {
		return nil, unreadable(err)
	}
	v.Title = outline.Title
	v.Passages = make([]rag.Passage, len(outline.Passages))
	entries := make([]weaviate.Entry, len(outline.Passages))
	for i, p := range outline.Passages {
		v.Passages[i] = rag.Passage{ID: passageID(v.ID, i), Title: v.Title, HeadingPath: p.HeadingPath, Text: p.Text}
		analysed := l.analyzer.Document(v.Passages[i].Context())
		v.Passages[i].Stems = analysed.Distinct
		entries[i] = entry(v.ID, v.Passages[i].ID, analysed)
	}
	return entries, nil
}

func entry(version rag.VersionID, passage rag.PassageID, d analysis.Document) weaviate.Entry {
	return weaviate.Entry{Passage: passage, Version: version, Stems: d.Stems, Pieces: d.Pieces}
}

func newVersion() rag.VersionID { return rag.VersionID(uuid.NewString()) }

// passageID is the same for the same passage, so that writing it twice makes one entry.
func passageID(version rag.VersionID, ordinal int) rag.PassageID {
	return rag.PassageID(uuid.NewSHA1(uuid.MustParse(string(version)), binary.BigEndian.AppendUint64(nil, uint64(ordinal))).String())
}

func unreadable(err error) error {
	switch {
	case errors.Is(err, chunk.ErrEncoding):
		return fault.New(fault.Invalid, "CONTENT_NOT_UTF8", "the content is not valid UTF-8").WithCause(err)
	case errors.Is(err, chunk.ErrTooMany):
		return fault.New(fault.Invalid, "CONTENT_TOO_LARGE", "the content makes too many passages: split it into several documents").WithCause(err)
	}
	return fault.New(fault.Invalid, "CONTENT_UNREADABLE", "the content cannot be read as its content_type").WithCause(err)
}

// hash covers everything that makes a difference to what is shown and found.
func (up Upload) hash() []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(up.Type), []byte(up.Title), []byte(up.SourceURI), []byte(up.Audience), []byte(up.Trust), up.Content} {
		writePart(h, part)
	}
	return h.Sum(nil)
}

func writePart(h hash.Hash, part []byte) {
	_, _ = fmt.Fprintf(h, "%d:", len(part)) // a hash never fails to write
	_, _ = h.Write(part)
}
