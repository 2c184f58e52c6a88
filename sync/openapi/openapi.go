// Package openapi describes the centre's API as one OpenAPI 3.1 document: what
// the library finds out from Go types by itself, and beside that what it cannot
// know: routes that are served without it, and which problems each operation is
// answered with.
//
// A door registers its operations with [Register] and [Raw]; when all doors have,
// [Finish] completes the document.
package openapi

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"flawmark/sync/wire"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

// Refusal is a problem that an operation is answered with.
type Refusal struct {
	URI    string
	Status int // 0: the problem's own
}

// Problems lists refusals with their own statuses.
func Problems(uris ...string) []Refusal {
	var all []Refusal
	for _, uri := range uris {
		all = append(all, Refusal{URI: uri})
	}
	return all
}

const refusalsKey = "refusals"

// On returns the same description with its routes behind r's middleware.
func On(api huma.API, r chi.Router) huma.API {
	return &routed{API: api, adapter: humachi.NewAdapter(r)}
}

type routed struct {
	huma.API
	adapter huma.Adapter
}

func (r *routed) Adapter() huma.Adapter { return r.adapter }

// Register adds an operation that the library serves, with the problems it is
// answered with beside those of every operation.
func Register[I, O any](api huma.API, op huma.Operation, refusals []Refusal, handler func(context.Context, *I) (*O, error)) {
	op.Metadata = map[string]any{refusalsKey: refusals}
	if op.MaxBodyBytes > 0 {
		op.MaxBodyBytes++ // the library means what is too large already
	}
	huma.Register(api, op, handler)
}

// Raw describes an operation that is served without the library, and so comes
// with its parameters and answers.
func Raw(api huma.API, op huma.Operation, refusals []Refusal) {
	op.Metadata = map[string]any{refusalsKey: refusals}
	for _, name := range pathNames(op.Path) {
		if !slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == name }) {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: Text("")})
		}
	}
	api.OpenAPI().AddOperation(&op)
}

func pathNames(path string) []string {
	var names []string
	for piece := range strings.SplitSeq(path, "{") {
		if name, _, ok := strings.Cut(piece, "}"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Text returns the schema of a text in a format, which may be empty.
func Text(format string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: format} }

// OneOf returns the schema of a text that is one of several.
func OneOf(all ...string) *huma.Schema {
	schema := Text("")
	for _, text := range all {
		schema.Enum = append(schema.Enum, text)
	}
	return schema
}

// Number returns the schema of a whole number between two others.
func Number(least, most float64) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Minimum: &least, Maximum: &most}
}

// Param returns a parameter of a query, a header or a path.
func Param(in, name, description string, required bool, schema *huma.Schema, example any) *huma.Param {
	return &huma.Param{In: in, Name: name, Description: description, Required: required, Schema: schema, Example: example}
}

// Header returns what an answer's header says.
func Header(description string, schema *huma.Schema) *huma.Header {
	return &huma.Header{Description: description, Schema: schema}
}

// Of returns the schema of a type, kept once in the document.
func Of[T any](api huma.API) *huma.Schema {
	return api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
}

// always are the problems of every operation.
func always() []Refusal {
	return Problems(wire.TooManyRequests, wire.StorageAway, wire.Interrupted, wire.Internal)
}

// ofPath are the problems of every operation with something in its path: it may
// be nothing that is ever anything's name.
func ofPath(op *huma.Operation) []Refusal {
	if !strings.Contains(op.Path, "{") {
		return nil
	}
	return Problems(wire.NotFound)
}

// ofBody are the problems of every operation that takes a document.
func ofBody(op *huma.Operation) []Refusal {
	if op.RequestBody == nil || op.RequestBody.Content[wire.JSONType] == nil {
		return nil
	}
	all := append(Problems(wire.Malformed, wire.TooLarge), Refusal{URI: wire.Interrupted, Status: http.StatusRequestTimeout})
	for _, status := range []int{http.StatusBadRequest, http.StatusUnsupportedMediaType} {
		all = append(all, Refusal{URI: wire.Malformed, Status: status})
	}
	return all
}

// Finish completes the document once every operation is in it: the answers that
// are problems, each kind with an example, and the descriptions of parameters
// and headers that operations share. An operation's problems outside this package's types have
// documents of their own, by type URI, in extended.
func Finish(api huma.API, params map[string]string, extended map[string]*huma.Schema, retired Retired) {
	doc := api.OpenAPI()
	retired.describe(doc)
	common := Of[wire.Problem](api)
	for _, item := range doc.Paths {
		for _, op := range operations(item) {
			for _, p := range op.Parameters {
				p.Description = cmp.Or(p.Description, params[p.Name])
				// Whoever lacks one is told which, and what to do: that is not the library's to say.
				p.Required = p.Required || p.In == "header" && slices.Contains([]string{"If-Match", "Idempotency-Key"}, p.Name)
			}
			refusals, _ := op.Metadata[refusalsKey].([]Refusal)
			for _, answer := range op.Responses {
				for name, header := range answer.Headers {
					header.Description = cmp.Or(header.Description, params[name])
				}
				for _, media := range answer.Content {
					neverNull(doc.Components.Schemas, media.Schema, map[*huma.Schema]bool{})
				}
			}
			exemplify(doc.Components.Schemas, op)
			refuse(op, slices.Concat(refusals, ofPath(op), ofBody(op), always()), common, extended)
			instance(op)
		}
	}
	schemas := doc.Components.Schemas.Map()
	maps.DeleteFunc(schemas, func(name string, _ *huma.Schema) bool { return name == "ErrorModel" || name == "ErrorDetail" })
}

// neverNull says of the lists in answers that they are there, if empty: the
// library takes every list for one that may be null.
func neverNull(schemas huma.Registry, s *huma.Schema, seen map[*huma.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	if s.Ref != "" {
		neverNull(schemas, schemas.SchemaFromRef(s.Ref), seen)
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	neverNull(schemas, s.Items, seen)
	for _, member := range s.Properties {
		neverNull(schemas, member, seen)
	}
}

// exemplify says of bodies how large they may be and shows one.
func exemplify(schemas huma.Registry, op *huma.Operation) {
	show := func(content map[string]*huma.MediaType) {
		for kind, media := range content {
			if kind == wire.JSONType && media.Schema != nil && media.Example == nil {
				media.Example = example(schemas, media.Schema)
			}
		}
	}
	if op.RequestBody != nil {
		op.RequestBody.Description = cmp.Or(op.RequestBody.Description, fmt.Sprintf("JSON of at most %d KiB", op.MaxBodyBytes>>10))
		show(op.RequestBody.Content)
	}
	for status, answer := range op.Responses {
		if code, err := strconv.Atoi(status); err == nil {
			answer.Description = cmp.Or(answer.Description, http.StatusText(code))
		}
		show(answer.Content)
	}
}

// refuse replaces what the library says of errors.
func refuse(op *huma.Operation, refusals []Refusal, common *huma.Schema, extended map[string]*huma.Schema) {
	for status := range op.Responses {
		if status == "default" || status >= "400" {
			delete(op.Responses, status)
		}
	}
	byStatus := map[int][]*wire.Problem{}
	for _, refusal := range refusals {
		problem := wire.NewProblem(refusal.URI, "")
		problem.Status = cmp.Or(refusal.Status, problem.Status)
		if slices.ContainsFunc(byStatus[problem.Status], func(p *wire.Problem) bool { return p.Type == problem.Type }) {
			continue
		}
		byStatus[problem.Status] = append(byStatus[problem.Status], problem)
	}
	for status, problems := range byStatus {
		answer := &huma.Response{Headers: map[string]*huma.Param{}}
		media := &huma.MediaType{Schema: common, Examples: map[string]*huma.Example{}}
		var says []string
		for _, problem := range problems {
			says = append(says, "`"+problem.Type+"`: "+problem.Title+". "+problem.Help)
			media.Examples[problem.Name()] = &huma.Example{Summary: problem.Title, Value: problem}
			if schema, ok := extended[problem.Type]; ok {
				media.Schema = schema
				delete(media.Examples, problem.Name()) // its own members are in the schema
			}
		}
		answer.Description = strings.Join(says, "\n\n")
		if op.Method != http.MethodHead {
			answer.Content = map[string]*huma.MediaType{wire.ProblemType: media}
		}
		answer.Headers["Link"] = Header("Where the kind of problem is described, rel=help", Text("uri-reference"))
		if status == http.StatusTooManyRequests {
			answer.Headers["Retry-After"] = Header("Seconds to wait", Number(1, 3600))
		}
		if status == http.StatusUnauthorized {
			answer.Headers["WWW-Authenticate"] = Header("Bearer", Text(""))
		}
		op.Responses[strconv.Itoa(status)] = answer
	}
}

// instance describes the headers that are on every answer.
func instance(op *huma.Operation) {
	for _, answer := range op.Responses {
		if answer.Headers == nil {
			answer.Headers = map[string]*huma.Param{}
		}
		answer.Headers[wire.InstanceHeader] = Header("The centre's name for itself", Text(""))
		answer.Headers[wire.ProtocolHeader] = Header("The protocol version that the centre speaks", Number(1, 1))
	}
}
