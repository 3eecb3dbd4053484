// Package ingestion takes documents in, replaces and deletes them, and keeps the index equal to what PostgreSQL holds.
package ingestion

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/knobot/knobot/platform/fault"
	rag "github.com/knobot/knobot/services/rag"
	"github.com/knobot/knobot/services/rag/internal/analysis"
	"github.com/knobot/knobot/services/rag/internal/chunk"
	"github.com/knobot/knobot/services/rag/internal/postgres"
	"github.com/knobot/knobot/services/rag/internal/reader"
	"github.com/knobot/knobot/services/rag/internal/weaviate"
)

// recipe names how passages are made; stored ones made otherwise are made again at the next start.
const recipe = "reader " + reader.Recipe + ", chunk " + chunk.Recipe + ", analysis " + analysis.Version

// Store keeps documents. Its errors are those of package postgres.
type Store interface {
	Indexes
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
	// AddPassages stores passages of such a version, the first of which has the ordinal from.
	AddPassages(ctx context.Context, id rag.VersionID, from int, passages []rag.Passage) error
	// Activate switches the document to the version at once.
	Activate(ctx context.Context, v rag.Version) (postgres.Activated, error)
	// Discard gives up a version that was not activated.
	Discard(ctx context.Context, version rag.VersionID) error
	// Submit queues a version, unless the document has its content. It returns NotFound if the knowledge base is gone.
	Submit(ctx context.Context, v rag.Version) (rag.Ingestion, error)
	// Supersede gives up what is queued for a document.
	Supersede(ctx context.Context, kb rag.KnowledgeBaseID, document string) error
	// DocumentNamed finds a document by its name.
	DocumentNamed(ctx context.Context, kb rag.KnowledgeBaseID, name string) (id rag.DocumentID, found bool, err error)
	// DeleteDocument returns NotFound if there is none.
	DeleteDocument(ctx context.Context, id rag.DocumentID) (rag.Garbage, error)
	// DeleteKnowledgeBase returns NotFound if there is none.
	DeleteKnowledgeBase(ctx context.Context, name string) (rag.KnowledgeBaseID, error)

	// What the keeper works by.
	Garbage(ctx context.Context, pending time.Duration, limit int) ([]rag.Garbage, error)
	Remove(ctx context.Context, version rag.VersionID) error
	DeletedKnowledgeBases(ctx context.Context) ([]rag.KnowledgeBaseID, error)
	RemoveKnowledgeBase(ctx context.Context, id rag.KnowledgeBaseID) error
	Placements(ctx context.Context) ([]rag.Placement, error)
	ActiveVersions(ctx context.Context, kb rag.KnowledgeBaseID) ([]rag.VersionID, error)
	Outdated(ctx context.Context, recipe string) ([]rag.VersionID, error)
	Version(ctx context.Context, id rag.VersionID) (v rag.Version, found bool, err error)
	PruneIngestions(ctx context.Context, age time.Duration) error
}

// Indexes says where a knowledge base's entries stand in the index. It is the part of a store that making an index anew
// works by.
type Indexes interface {
	// Placement returns NotFound if the knowledge base is gone.
	Placement(ctx context.Context, kb rag.KnowledgeBaseID) (rag.Placement, error)
	// StartReindex returns NotFound if there is no such knowledge base.
	StartReindex(ctx context.Context, name string) error
	Unfilled(ctx context.Context, kb rag.KnowledgeBaseID, generation, limit int) ([]rag.VersionID, error)
	MarkFilled(ctx context.Context, version rag.VersionID, generation int) error
	// SwitchIndex makes the next generation the one that is searched, if it holds every document.
	SwitchIndex(ctx context.Context, p rag.Placement) (switched bool, err error)
	GarbageTenants(ctx context.Context, age time.Duration) ([]rag.Tenant, error)
	RemoveTenant(ctx context.Context, tenant rag.Tenant) error
	// ClaimSpec says how indexes shall be made, AdoptSpec has them made anew where they are made otherwise.
	ClaimSpec(ctx context.Context, spec rag.IndexSpec) error
	AdoptSpec(ctx context.Context) error
}

// Index makes passages findable. It returns weaviate.ErrMissing and weaviate.ErrUnavailable.
type Index interface {
	// Spec is how this program makes indexes.
	Spec() rag.IndexSpec
	Ensure(ctx context.Context, in rag.Tenant) error
	// Put returns Unavailable while the embedding model cannot be asked.
	Put(ctx context.Context, in rag.Tenant, entries []weaviate.Entry) error
	DeleteVersion(ctx context.Context, in rag.Tenant, version rag.VersionID) error
	Drop(ctx context.Context, in rag.Tenant) error
	// DropEmpty removes an index that has no tenants any more.
	DropEmpty(ctx context.Context, spec rag.IndexSpec) error
	Count(ctx context.Context, in rag.Tenant) (int, error)
}

// Library takes documents in and out. It is safe for concurrent use.
type Library struct {
	store    Store
	index    Index
	keeper   *Keeper
	files    Reader
	analyzer *analysis.Analyzer
	log      *zap.Logger
	// submitted wakes a worker of this process.
	submitted chan struct{}
}

// Reader reads files.
type Reader interface {
	// Read returns the errors of package reader for what is wrong with a file.
	Read(ctx context.Context, kind rag.ContentType, content []byte) (reader.Text, error)
}

// New returns a library and the keeper of its index, which has to be run.
func New(store Store, index Index, files Reader, analyzer *analysis.Analyzer, log *zap.Logger) (*Library, *Keeper) {
	l := &Library{store: store, index: index, files: files, analyzer: analyzer, log: log, submitted: make(chan struct{}, workers)}
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
	if err := up.validate(maxText); err != nil {
		return rag.Document{}, false, err
	}
	version, err := l.version(ctx, up)
	if err != nil {
		return rag.Document{}, false, err
	}
	doc, same, err := l.store.Unchanged(ctx, version)
	if err != nil {
		return rag.Document{}, false, err
	}
	if same {
		return doc, true, l.store.Supersede(ctx, version.KnowledgeBase, version.Name)
	}
	return l.process(ctx, version, l.direct())
}

// Submit takes a document in later: a worker makes it of the content, also after a restart. It returns Invalid for what
// shows already that it cannot be read, and NotFound for an unknown knowledge base.
func (l *Library) Submit(ctx context.Context, up Upload) (rag.Ingestion, error) {
	if err := up.validate(MaxFile); err != nil {
		return rag.Ingestion{}, err
	}
	version, err := l.version(ctx, up)
	if err != nil {
		return rag.Ingestion{}, err
	}
	job, err := l.store.Submit(ctx, version)
	if err == nil && !job.Ended() {
		select {
		case l.submitted <- struct{}{}:
		default: // all are awake
		}
	}
	return job, err
}

func (l *Library) version(ctx context.Context, up Upload) (rag.Version, error) {
	kb, err := l.store.KnowledgeBase(ctx, up.KnowledgeBase)
	if err != nil {
		return rag.Version{}, err
	}
	return rag.Version{
		ID: newVersion(), KnowledgeBase: kb.ID, Name: up.Name, Title: up.Title, SourceURI: up.SourceURI,
		Type: up.Type, Audience: up.Audience, Trust: up.Trust, Content: up.Content, Hash: up.hash(), Recipe: recipe,
	}, nil
}

// course is what differs between the ways in.
type course struct {
	// progress hears how far it is; an error of its stops all.
	progress func(ctx context.Context, state rag.IngestionState, done, total int) error
	activate func(ctx context.Context, v rag.Version) (postgres.Activated, error)
}

// direct is the course of what a caller waits for.
func (l *Library) direct() course {
	return course{
		progress: func(context.Context, rag.IngestionState, int, int) error { return nil },
		activate: l.store.Activate,
	}
}

// process reads, cuts, stores, indexes and activates a version, in this order: whatever breaks off on the way leaves the
// document as it was, and a version that the keeper removes.
func (l *Library) process(ctx context.Context, v rag.Version, c course) (doc rag.Document, unchanged bool, err error) {
	if err := c.progress(ctx, rag.Reading, 0, 0); err != nil {
		return rag.Document{}, false, err
	}
	passages, err := l.cut(ctx, &v)
	if err != nil {
		return rag.Document{}, false, err
	}
	if err := l.place(ctx, &v); err != nil {
		return rag.Document{}, false, err
	}
	if err := l.store.AddVersion(ctx, v); err != nil {
		return rag.Document{}, false, err
	}
	done, err := l.activate(ctx, v, passages, c)
	if err != nil {
		l.discard(ctx, v.ID)
		return rag.Document{}, false, err
	}
	if done.Replaced != "" {
		l.forget(ctx, rag.Garbage{KnowledgeBase: v.KnowledgeBase, Version: done.Replaced})
	}
	return done.Document, done.Unchanged, nil
}

// batch is how many passages are analysed, stored and indexed at a time: what is in memory at once.
const batch = 200

func (l *Library) activate(ctx context.Context, v rag.Version, passages []chunk.Passage, c course) (postgres.Activated, error) {
	from := 0
	for part := range slices.Chunk(passages, batch) {
		if err := c.progress(ctx, rag.Indexing, from, len(passages)); err != nil {
			return postgres.Activated{}, err
		}
		stored, entries := l.analyse(v, from, part)
		if err := l.store.AddPassages(ctx, v.ID, from, stored); err != nil {
			return postgres.Activated{}, err
		}
		if err := l.put(ctx, v.Tenant, entries); err != nil {
			return postgres.Activated{}, err
		}
		from += len(part)
	}
	if err := c.progress(ctx, rag.Indexing, from, from); err != nil {
		return postgres.Activated{}, err
	}
	return c.activate(ctx, v)
}

// put writes entries, making the tenant where it is missing: for a new knowledge base, or in an index that lost it.
func (l *Library) put(ctx context.Context, in rag.Tenant, entries []weaviate.Entry) error {
	err := l.index.Put(ctx, in, entries)
	if errors.Is(err, weaviate.ErrMissing) {
		l.keeper.Lost(in)
		if err = l.index.Ensure(ctx, in); err == nil {
			err = l.index.Put(ctx, in, entries)
		}
	}
	return indexFailure(err)
}

func indexFailure(err error) error {
	if err == nil || fault.KindOf(err) == fault.Unavailable {
		return err
	}
	return fault.New(fault.Unavailable, "INDEX_UNAVAILABLE", "the search index cannot be written now, try again").WithCause(err)
}

// discard gives up a pending version, also when the caller has gone.
func (l *Library) discard(ctx context.Context, version rag.VersionID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := l.store.Discard(ctx, version); err != nil {
		l.log.Warn("pending version left for later", zap.String("version", string(version)), zap.Error(err))
	}
}

// cut reads and cuts a version's content, and fills in its title.
func (l *Library) cut(ctx context.Context, v *rag.Version) ([]chunk.Passage, error) {
	text, err := l.files.Read(ctx, v.Type, v.Content)
	if err != nil {
		return nil, unreadable(err)
	}
	outline, err := chunk.Split(chunk.Source{Name: v.Name, Title: v.Title, Type: text.Type, Content: text.Content})
	if err != nil {
		return nil, unreadable(err)
	}
	v.Title = outline.Title
	return outline.Passages, nil
}

// analyse makes passages of a version and their entries for the index; the first one's ordinal is from.
func (l *Library) analyse(v rag.Version, from int, cut []chunk.Passage) ([]rag.Passage, []weaviate.Entry) {
	passages, entries := make([]rag.Passage, len(cut)), make([]weaviate.Entry, len(cut))
	for i, p := range cut {
		passages[i] = rag.Passage{ID: passageID(v.ID, from+i), Title: v.Title, HeadingPath: p.HeadingPath, Text: p.Text}
		entries[i], passages[i].Stems = l.entry(v.ID, passages[i])
	}
	return passages, entries
}

// entry returns what the index holds of a passage, and its different stems.
func (l *Library) entry(version rag.VersionID, p rag.Passage) (weaviate.Entry, []string) {
	text := p.Context()
	d := l.analyzer.Document(text)
	return weaviate.Entry{Passage: p.ID, Version: version, Stems: d.Stems, Pieces: d.Pieces, Text: text}, d.Distinct
}

func newVersion() rag.VersionID { return rag.VersionID(uuid.NewString()) }

// passageID is the same for the same passage, so that writing it twice makes one entry.
func passageID(version rag.VersionID, ordinal int) rag.PassageID {
	return rag.PassageID(uuid.NewSHA1(uuid.MustParse(string(version)), binary.BigEndian.AppendUint64(nil, uint64(ordinal))).String())
}

// unreadable gives what is wrong with a content its stable reason. Other errors are no fault of the content.
func unreadable(err error) error {
	for _, known := range []struct {
		is              error
		reason, message string
	}{
		{chunk.ErrEncoding, "CONTENT_NOT_UTF8", "the content is not valid UTF-8"},
		{chunk.ErrTooMany, "CONTENT_TOO_LARGE", "the content makes too many passages: split it into several documents"},
		{chunk.ErrUnreadable, "CONTENT_UNREADABLE", "the content cannot be read as its content_type"},
		{reader.ErrUnreadable, "CONTENT_UNREADABLE", "the content is broken, or is not what its content_type says"},
		{reader.ErrTooLarge, "CONTENT_TOO_LARGE", "the content holds too much: split it into several documents"},
		{reader.ErrEncrypted, "CONTENT_ENCRYPTED", "the content asks for a password: store it without one"},
		{reader.ErrEmpty, "CONTENT_EMPTY", "the content holds no text; a scanned page is a picture and has to be made text first"},
	} {
		if errors.Is(err, known.is) {
			return fault.New(fault.Invalid, known.reason, known.message).WithCause(err)
		}
	}
	return err
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
