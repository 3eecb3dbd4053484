// Package rag is the domain of the service that knows and answers: knowledge bases, their documents and passages,
// questions and answers. It imports the standard library only.
package rag

import (
	"strconv"
	"strings"
	"time"
)

// DefaultKnowledgeBase is the name of the knowledge base that always exists.
const DefaultKnowledgeBase = "default"

// KnowledgeBase is a set of documents, apart from all others.
type KnowledgeBase struct {
	ID            KnowledgeBaseID
	Name          string
	DisplayName   string
	DocumentCount int
	PassageCount  int
	// Reindexing says that an index is being made beside the one that answers; ReindexedCount passages are in it.
	Reindexing     bool
	ReindexedCount int
	CreateTime     time.Time
	// AnswerThreshold is the coverage from which on it answers, nil for the service's own.
	AnswerThreshold *float64
}

// KnowledgeBaseEdit changes a knowledge base.
type KnowledgeBaseEdit struct {
	// DisplayName is nil where it stays, and empty for the name.
	DisplayName *string
	// SetThreshold says that AnswerThreshold, which may be nil for the service's own, is to be set.
	SetThreshold    bool
	AnswerThreshold *float64
}

// KnowledgeBaseID is a UUID.
type KnowledgeBaseID string

// IndexSpec is how an index is made. Entries of different ones do not compare, so that each has an index of its own.
type IndexSpec struct {
	// Analyzer is the version of the analyser whose terms it has.
	Analyzer string
	// Model is the embedding model whose vectors it has, empty for none.
	Model string
}

// Tenant is a knowledge base's part of an index.
type Tenant struct {
	Name string
	IndexSpec
}

// Tenant returns one of the knowledge base's parts of the index: they are made one after the other, and the one whose
// generation the knowledge base has is searched.
func (id KnowledgeBaseID) Tenant(generation int, spec IndexSpec) Tenant {
	if generation == 0 {
		return Tenant{Name: string(id), IndexSpec: spec}
	}
	return Tenant{Name: string(id) + "_" + strconv.Itoa(generation), IndexSpec: spec}
}

// Placement says where a knowledge base's entries stand in the index.
type Placement struct {
	KnowledgeBase KnowledgeBaseID
	Passages      int
	// Generation is the one that is searched, and IndexSpec how it is made.
	Generation int
	IndexSpec
	// Next is the generation that is being made beside it, 0 for none.
	Next     int
	NextSpec IndexSpec
}

// Live is the tenant that is searched.
func (p Placement) Live() Tenant { return p.KnowledgeBase.Tenant(p.Generation, p.IndexSpec) }

// Beside is the tenant that is being made.
func (p Placement) Beside() Tenant { return p.KnowledgeBase.Tenant(p.Next, p.NextSpec) }

// Takes tells whether a program that makes indexes like this may write into what is searched: its entries compare with those
// there, or it is about to be replaced.
func (p Placement) Takes(spec IndexSpec) bool {
	return p.Next != 0 || p.Analyzer == spec.Analyzer && (p.Model == spec.Model || p.Model == "")
}

// ContentType is how a document is written.
type ContentType string

// The types that can be read.
const (
	PlainText ContentType = "text/plain"
	Markdown  ContentType = "text/markdown"
	HTML      ContentType = "text/html"
	CSV       ContentType = "text/csv"
	PDF       ContentType = "application/pdf"
	DOCX      ContentType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	XLSX      ContentType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	// QuestionsAndAnswers are pairs of both, in JSON.
	QuestionsAndAnswers ContentType = "application/json"
)

// Audience is for whom a document is.
type Audience string

// The audiences: customers are answered from what is public.
const (
	Public   Audience = "public"
	Internal Audience = "internal"
)

// Trust is who stands behind a document.
type Trust string

// The kinds of trust: customers are answered from what the company says.
const (
	Company   Trust = "company"
	FromUsers Trust = "user"
	Draft     Trust = "draft"
)

// Document is a text of the company's, in its current version.
type Document struct {
	ID            DocumentID
	KnowledgeBase string
	Name          string
	Title         string
	SourceURI     string
	Type          ContentType
	Audience      Audience
	Trust         Trust
	Version       int
	PassageCount  int
	CreateTime    time.Time
	UpdateTime    time.Time
	// Content is only filled where a single document is asked for.
	Content []byte
}

// DocumentID is a UUID.
type DocumentID string

// VersionID is the UUID of one content of a document.
type VersionID string

// PassageID is a UUID, in the index the object's.
type PassageID string

// Passage is a part of a document that can be found.
type Passage struct {
	ID           PassageID
	Document     DocumentID
	DocumentName string
	Title        string
	SourceURI    string
	// Ordinal is its place in the document, from 0.
	Ordinal int
	// HeadingPath holds the headings above it, outermost first, without the title.
	HeadingPath []string
	// Text is CommonMark.
	Text string
	// Stems are the different stems of title, headings and text.
	Stems []string
}

// Context is the passage under its title and headings: what it is found by, and what a model reads.
func (p Passage) Context() string {
	return strings.Join(append(append([]string{p.Title}, p.HeadingPath...), p.Text), "\n")
}

// Hit is a passage found.
type Hit struct {
	Passage
	// Score is the index's raw keyword score, comparable within one search only.
	Score float64
	// Coverage is the share of the question's content that the passage covers, 0 to 1, comparable between searches.
	Coverage float64
	// Cosine is the embedding model's raw likeness of question and passage, 0 if there is none.
	Cosine float64
	// Confidence is how surely the passage is about the question, 0 to 1: its coverage, or how much more alike the two are for
	// the embedding model than any two texts.
	Confidence float64
}

// Version is one content of a document, cut and analysed.
type Version struct {
	ID            VersionID
	KnowledgeBase KnowledgeBaseID
	Name          string
	Title         string
	SourceURI     string
	Type          ContentType
	Audience      Audience
	Trust         Trust
	// Hash tells contents apart: equal ones make equal passages.
	Hash    []byte
	Content []byte
	// Recipe names how passages were cut and analysed.
	Recipe   string
	Passages []Passage
	// Generation is that of the index which its entries are written to, Tenant the index.
	Generation int
	Tenant     Tenant
	// Replaces is the only version whose place this one may take, empty for whichever is current.
	Replaces VersionID
}

// Garbage is a version that no document has any more and that may still stand in the index.
type Garbage struct {
	KnowledgeBase KnowledgeBaseID
	Version       VersionID
}

// Statistics say how much the words of a question tell in a knowledge base.
type Statistics struct {
	KnowledgeBase KnowledgeBaseID
	// Tenant is what is searched.
	Tenant Tenant
	// Passages is how many can be found.
	Passages int
	// Revision changes with everything that can be found.
	Revision string
	// Remembered says that they were read some time ago and may be outdated.
	Remembered bool
	// Counts holds in how many of them a stem stands; unknown stems are absent.
	Counts map[string]int
}

// Knows says that a stem stands in a passage.
func (s Statistics) Knows(stem string) bool { return s.Counts[stem] > 0 }
