package rag

import "time"

// IngestionID is a UUID.
type IngestionID string

// IngestionState is how far an ingestion is.
type IngestionState string

// The states; the last three are ends.
const (
	Queued     IngestionState = "queued"
	Reading    IngestionState = "reading"
	Indexing   IngestionState = "indexing"
	Done       IngestionState = "done"
	Failed     IngestionState = "failed"
	Superseded IngestionState = "superseded"
)

// Ingestion is an upload on its way to being a document.
type Ingestion struct {
	ID            IngestionID
	KnowledgeBase string
	DocumentName  string
	State         IngestionState
	// PassagesDone of PassagesTotal are indexed.
	PassagesDone  int
	PassagesTotal int
	// Document is empty until it is done.
	Document DocumentID
	// Unchanged says that the document had this content already.
	Unchanged bool
	// Reason and Message say why it failed, or why its last try did.
	Reason  string
	Message string
	// Attempts counts the tries that failed and were taken up again.
	Attempts   int
	CreateTime time.Time
	UpdateTime time.Time
}

// Ended tells whether nothing will change any more.
func (i Ingestion) Ended() bool {
	return i.State == Done || i.State == Failed || i.State == Superseded
}

// Job is an ingestion that a worker holds.
type Job struct {
	Ingestion
	// Lease is what the worker shows with every change; another worker's is another one.
	Lease string
	// Crashes counts how often it was begun since the last time that its outcome was recorded.
	Crashes int
	// Version is what to make, but for its id and passages.
	Version Version
}
