package openapi

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// example returns a document that the schema describes, made of the examples of
// its members.
func example(schemas huma.Registry, s *huma.Schema) any {
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject:
		members := map[string]any{}
		for name, member := range s.Properties {
			members[name] = example(schemas, member)
		}
		return members
	case huma.TypeArray:
		return []any{example(schemas, s.Items)}
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case huma.TypeBoolean:
		return false
	case huma.TypeString:
		return exampleText(s)
	}
	return map[string]any{} // any document
}

func exampleText(s *huma.Schema) string {
	switch {
	case s.Format == "date-time":
		return time.Date(2026, 11, 28, 9, 30, 0, 0, time.UTC).Format(time.RFC3339)
	case s.Format == "uuid":
		return "0193f1e2-7b4c-7c1a-9d55-0242ac120002"
	case s.Format == "uri", s.Format == "uri-reference":
		return "https://qc.example.com/o/AC-90001"
	case s.Format == "email":
		return "ana@example.com"
	case s.ContentEncoding == "base64":
		return "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	}
	return "text"
}
