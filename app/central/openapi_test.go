package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"flawmark/sync/wire"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is the API's own description, read from a running handler, and what
// holds answers against it.
type contract struct {
	t       testing.TB
	text    []byte
	doc     apiDocument
	whole   any
	routes  map[string]*regexp.Regexp // by path of the document
	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by where they are in the document
	read    *jsonschema.Compiler
}

// apiDocument is what the tests read of an OpenAPI document.
type apiDocument struct {
	Paths      map[string]map[string]apiOperation
	Components struct {
		Schemas         map[string]apiSchema
		SecuritySchemes map[string]struct{ Description string }
	}
}

type apiOperation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Security                          []map[string][]string
	Parameters                        []apiParameter
	RequestBody                       *struct {
		Description string
		Content     map[string]apiMedia
	}
	Responses map[string]struct {
		Description string
		Content     map[string]apiMedia
		Headers     map[string]apiParameter
	}
}

type apiParameter struct {
	Name, In, Description string
	Required              bool
	Schema                *apiSchema
}

type apiMedia struct {
	Schema   *apiSchema
	Example  json.RawMessage
	Examples map[string]json.RawMessage
}

type apiSchema struct {
	Type        any
	Ref         string `json:"$ref"`
	Description string
	Properties  map[string]apiSchema
	Items       *apiSchema
	Enum        []any
}

func newContract(t testing.TB, handler http.Handler) *contract {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://centre.test/openapi.json", nil))
	c := &contract{t: t, text: w.Body.Bytes(), routes: map[string]*regexp.Regexp{}, schemas: map[string]*jsonschema.Schema{}}
	if err := json.Unmarshal(c.text, &c.doc); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.whole, err = jsonschema.UnmarshalJSON(bytes.NewReader(c.text)); err != nil {
		t.Fatal(err)
	}
	c.read = jsonschema.NewCompiler()
	c.read.DefaultDraft(jsonschema.Draft2020)
	if err := c.read.AddResource("openapi.json", c.whole); err != nil {
		t.Fatal(err)
	}
	for path := range c.doc.Paths {
		pattern := "^" + regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"
		c.routes[path] = regexp.MustCompile(pattern)
	}
	return c
}

// schema returns the schema at a place of the document.
func (c *contract) schema(place ...string) (*jsonschema.Schema, error) {
	pointer := "openapi.json#"
	for _, piece := range place {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(piece))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.schemas[pointer]; ok {
		return known, nil
	}
	schema, err := c.read.Compile(pointer)
	c.schemas[pointer] = schema
	return schema, err
}

// guarded reports whether a request is for an operation that asks who comes.
func (c *contract) guarded(r *http.Request) bool {
	for path, route := range c.routes {
		op, ok := c.doc.Paths[path][strings.ToLower(r.Method)]
		if ok && route.MatchString(r.URL.EscapedPath()) {
			return len(op.Security) > 0 && !slices.ContainsFunc(op.Security, func(way map[string][]string) bool { return len(way) == 0 })
		}
	}
	return false
}

// breach says how an answer is not as the document says, or nil.
func (c *contract) breach(r *http.Request, status int, header http.Header, body []byte) error {
	for path, route := range c.routes {
		op, ok := c.doc.Paths[path][strings.ToLower(r.Method)]
		if !ok || !route.MatchString(r.URL.EscapedPath()) {
			continue
		}
		answer, ok := op.Responses[strconv.Itoa(status)]
		if !ok {
			return fmt.Errorf("%d is not an answer of %s", status, op.OperationID)
		}
		kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
		media, ok := answer.Content[kind]
		if !ok && len(body) > 0 && r.Method != http.MethodHead {
			return fmt.Errorf("%d of %s has no %q", status, op.OperationID, kind)
		}
		if media.Schema == nil || !strings.HasSuffix(kind, "json") {
			return nil
		}
		schema, err := c.schema("paths", path, strings.ToLower(r.Method), "responses", strconv.Itoa(status), "content", kind, "schema")
		if err != nil {
			return err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			return err
		}
		return schema.Validate(document)
	}
	return nil // a route that is in no document, such as one that does not exist
}

// keeps fails the test when an answer is not as the document says.
func (c *contract) keeps(r *http.Request, w *httptest.ResponseRecorder) {
	c.t.Helper()
	if err := c.breach(r, w.Code, w.Header(), w.Body.Bytes()); err != nil {
		c.t.Errorf("%s %s: %d: %v\n%.600s", r.Method, r.URL.Path, w.Code, err, w.Body)
	}
}

func TestOpenAPI_IsValid(t *testing.T) {
	t.Parallel()
	c := newContract(t, newHouse(t).pages)
	if !bytes.Contains(c.text, []byte(`"openapi":"3.1.`)) {
		t.Error("the document is not OpenAPI 3.1")
	}
	// The schema of documents, as the OpenAPI Initiative publishes it.
	meta, err := os.Open("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer meta.Close()
	document, err := jsonschema.UnmarshalJSON(meta)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("meta.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("meta.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(c.whole); err != nil {
		t.Error(err)
	}
	// That one looks at schemas only from outside: each must be one, and the
	// examples beside it must be as it says.
	for path, methods := range c.doc.Paths {
		for method, op := range methods {
			if body := op.RequestBody; body != nil {
				c.exemplary(body.Content, "paths", path, method, "requestBody", "content")
			}
			for status, answer := range op.Responses {
				c.exemplary(answer.Content, "paths", path, method, "responses", status, "content")
			}
		}
	}
}

// exemplary fails the test when a schema is none, or has an example that it
// does not describe.
func (c *contract) exemplary(content map[string]apiMedia, place ...string) {
	c.t.Helper()
	for kind, media := range content {
		where := append(slices.Clone(place), kind)
		schema, err := c.schema(append(where, "schema")...)
		if err != nil {
			c.t.Errorf("%v: %v", where, err)
			continue
		}
		examples := []json.RawMessage{media.Example}
		for _, example := range media.Examples {
			var one struct{ Value json.RawMessage }
			if err := json.Unmarshal(example, &one); err != nil {
				c.t.Errorf("%v: %v", where, err)
			}
			examples = append(examples, one.Value)
		}
		for _, text := range examples {
			if text == nil || !strings.HasSuffix(kind, "json") {
				continue
			}
			example, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err == nil {
				err = schema.Validate(example)
			}
			if err != nil {
				c.t.Errorf("%v: example %s: %v", where, text, err)
			}
		}
	}
}

// The document says enough to write a client from: nothing in it is unnamed,
// every body has an example, every refusal its kinds.
func TestOpenAPI_IsComplete(t *testing.T) {
	t.Parallel()
	c := newContract(t, newHouse(t).pages)
	ids := map[string]string{}
	for path, methods := range c.doc.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + path
			if before, ok := ids[op.OperationID]; ok || op.OperationID == "" {
				t.Errorf("%s: operation id %q is that of %q", name, op.OperationID, before)
			}
			ids[op.OperationID] = name
			for what, missing := range c.lacks(op, strings.ToUpper(method)) {
				if missing {
					t.Errorf("%s: %s", name, what)
				}
			}
		}
	}
	if len(ids) < 35 {
		t.Errorf("only %d operations", len(ids))
	}
	for name, schema := range c.doc.Components.Schemas {
		for member, described := range schema.Properties {
			if described.Description == "" && described.Ref == "" {
				t.Errorf("schema %s: member %s has no description", name, member)
			}
		}
	}
	for name, scheme := range c.doc.Components.SecuritySchemes {
		if scheme.Description == "" {
			t.Errorf("security scheme %s has no description", name)
		}
	}
}

// lacks lists what is wrong with an operation's description.
func (c *contract) lacks(op apiOperation, method string) map[string]bool {
	wrong := map[string]bool{
		"no summary": op.Summary == "", "no description": op.Description == "", "no tag": len(op.Tags) != 1,
		"it does not say who may ask": op.Security == nil, "no 429": op.Responses["429"].Description == "", "no 500": op.Responses["500"].Description == "",
	}
	for _, p := range op.Parameters {
		wrong["parameter "+p.Name+" has no description"] = p.Description == ""
		wrong["parameter "+p.Name+" has no schema"] = p.Schema == nil
	}
	if body := op.RequestBody; body != nil {
		wrong["the body has no description"] = body.Description == ""
		for kind, media := range body.Content {
			wrong[kind+" has no schema"] = media.Schema == nil
			wrong[kind+" has no example"] = kind == wire.JSONType && media.Example == nil
		}
	}
	succeeds := false
	for status, answer := range op.Responses {
		succeeds = succeeds || status < "300"
		wrong[status+" has no description"] = answer.Description == ""
		for name, header := range answer.Headers {
			wrong[status+": header "+name+" has no description"] = header.Description == "" || header.Schema == nil
		}
		media, isProblem := answer.Content[wire.ProblemType]
		wrong[status+" is no problem document"] = status >= "400" && !isProblem && method != http.MethodHead
		wrong[status+" names no kind of problem"] = isProblem && !strings.Contains(answer.Description, "urn:flawmark:problem:")
		wrong[status+" has no schema"] = isProblem && media.Schema == nil
		if media, isJSON := answer.Content[wire.JSONType]; isJSON {
			wrong[status+" has no schema or example"] = media.Schema == nil || media.Example == nil
		}
	}
	wrong["no success"] = !succeeds
	return wrong
}

// Every route of the door is in the document, and the other way round.
func TestOpenAPI_HasEveryRoute(t *testing.T) {
	t.Parallel()
	v := newVillage(t)
	c := newContract(t, v.pages)
	var described []string
	for path, methods := range c.doc.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, route := range v.routes() {
		if _, path, _ := strings.Cut(route, " "); strings.HasPrefix(path, "/v1/") && !slices.Contains(described, route) {
			t.Errorf("%s is not in the document", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(v.routes(), route) {
			t.Errorf("%s is in the document and leads nowhere", route)
		}
	}
}

// What a problem document says of itself can be looked up.
func TestOpenAPI_ProblemsAreDescribed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, uri := range wire.Problems() {
		p := wire.NewProblem(uri, "")
		w := httptest.NewRecorder()
		h.pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://centre.test"+wire.HelpPath(p.Name()), nil))
		var kind struct{ Type, Title, Help string }
		if err := json.Unmarshal(w.Body.Bytes(), &kind); err != nil || kind.Type != uri || kind.Title == "" || kind.Help == "" {
			t.Errorf("%s: %d %s, %v", uri, w.Code, w.Body, err)
		}
	}
}

// An answer that is not as the document says must be seen.
func TestOpenAPI_AnotherAnswerIsSeen(t *testing.T) {
	t.Parallel()
	c := newContract(t, newHouse(t).pages)
	r := httptest.NewRequest(http.MethodGet, "http://centre.test/v1/ping", nil)
	for name, body := range map[string]string{
		"wrong type": `{"instance":1,"time":"2026-11-28T09:00:00Z","protocol":{"min":1,"max":1}}`,
		"no JSON":    `{"instance":`,
		"missing":    `{"time":"2026-11-28T09:00:00Z","protocol":{"min":1,"max":1}}`,
	} {
		if c.breach(r, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(body)) == nil {
			t.Errorf("%s: passes", name)
		}
	}
}
