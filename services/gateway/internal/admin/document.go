package admin

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// document is what we read of the OpenAPI document.
type document struct {
	Info struct {
		Title, Version, Description string
	}
	Tags       []tag
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type tag struct{ Name, Description string }

type operation struct {
	Tags                              []string
	Summary, Description, OperationID string
	Parameters                        []parameter
	RequestBody                       struct{ Content map[string]media }
	Responses                         map[string]response
}

type response struct {
	Description string
	Content     map[string]media
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                schema
}

type media struct{ Schema schema }

type schema struct {
	Ref                       string `json:"$ref"`
	Type, Format, Description string
	Enum                      []string
	Items                     *schema
	Properties                map[string]schema
}

func readDocument(raw []byte) (document, error) {
	var d document
	err := json.Unmarshal(raw, &d)
	return d, err
}

// route is a path of the API and its methods.
type route struct {
	segments []string
	verb     string
	methods  []string            // in capitals, in order
	query    map[string][]string // parameters of a method
	stream   bool
}

type routes []route

// routes returns every path.
func (d document) routes() routes {
	var all routes
	for path, methods := range d.Paths {
		r := route{stream: strings.HasSuffix(path, watchVerb) || strings.HasSuffix(path, exportVerb), query: map[string][]string{}}
		r.segments, r.verb = split(path)
		for _, name := range slices.Sorted(maps.Keys(methods)) {
			method := strings.ToUpper(name)
			r.methods = append(r.methods, method)
			for _, p := range methods[name].Parameters {
				if p.In == "query" {
					r.query[method] = append(r.query[method], p.Name)
				}
			}
		}
		all = append(all, r)
	}
	return all
}

// watchVerb and exportVerb end the paths of streams.
const (
	watchVerb  = ":watch"
	exportVerb = ":export"
)

// split cuts a path into segments and the verb behind its last colon.
func split(path string) (segments []string, verb string) {
	path, verb, _ = strings.Cut(path, ":")
	return strings.Split(path, "/"), verb
}

// find returns the route of a path.
func (all routes) find(path string) (route, bool) {
	segments, verb := split(path)
	for _, r := range all {
		if r.verb == verb && slices.EqualFunc(r.segments, segments, matches) {
			return r, true
		}
	}
	return route{}, false
}

func matches(template, segment string) bool {
	if strings.HasPrefix(template, "{") {
		return segment != ""
	}
	return template == segment
}
