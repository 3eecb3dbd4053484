package admin

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
)

// page shows the OpenAPI document to people. It is made here once, so that it needs no script and nothing from elsewhere.
type page struct {
	body   []byte
	policy string
}

// newPage makes the page.
func newPage(d document) (*page, error) {
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(pageCSS) }, //nolint:gosec // a file of ours
		"upper": strings.ToUpper, "paragraphs": func(s string) []string { return strings.Split(s, "\n\n") },
		"spans": spans, "short": short, "typeOf": typeOf,
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, contents(d)); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pageCSS))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return &page{body: out.Bytes(), policy: policy}, nil
}

// ServeHTTP answers with the page.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", p.policy)
	static{"text/html; charset=utf-8", p.body}.ServeHTTP(w, r)
}

// section is a service and its calls.
type section struct {
	tag
	Calls []call
}

// call is a method of a path.
type call struct {
	Method, Path string
	operation
}

type view struct {
	document
	Sections []section
}

// contents orders the calls by service and path.
func contents(d document) view {
	v := view{document: d}
	for _, t := range d.Tags {
		s := section{tag: t}
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
				if o := d.Paths[path][method]; slices.Contains(o.Tags, t.Name) {
					s.Calls = append(s.Calls, call{Method: method, Path: path, operation: o})
				}
			}
		}
		v.Sections = append(v.Sections, s)
	}
	return v
}

// span is a part of a text, in Markdown's backticks or not.
type span struct {
	Text string
	Code bool
}

func spans(text string) []span {
	var all []span
	for i, part := range strings.Split(text, "`") {
		all = append(all, span{Text: part, Code: i%2 == 1})
	}
	return all
}

// short is the name of a component without its package.
func short(name string) string {
	parts := strings.Split(name, ".")
	return strings.Join(parts[min(len(parts)-1, 3):], ".")
}

// shape is how the type of a value is shown: in words, and where it is a component, its name.
type shape struct{ Before, Component, After string }

func typeOf(s schema) shape {
	switch {
	case s.Ref != "":
		return shape{Component: strings.TrimPrefix(s.Ref, "#/components/schemas/")}
	case s.Items != nil:
		inner := typeOf(*s.Items)
		return shape{Before: "list of " + inner.Before, Component: inner.Component, After: inner.After}
	case s.Format != "":
		return shape{Before: s.Type + " (" + s.Format + ")"}
	default:
		return shape{Before: s.Type}
	}
}
