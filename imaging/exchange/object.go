package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Extra holds the fields of a JSON object that this version does not know, by
// name and as they were written. They are written again after the known ones.
type Extra map[string]json.RawMessage

// readObject fills the known fields of the struct that into points to from a
// JSON object and returns the others, nil when there are none. Names are
// compared exactly, unlike encoding/json does, so that no field is taken for
// another.
func readObject(data []byte, into any) (Extra, error) {
	extra, err := readFields(data, into)
	if err != nil || len(extra) == 0 {
		return nil, err
	}
	for name, value := range extra {
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
		}
		extra[name] = compact.Bytes()
	}
	return extra, nil
}

// readFields is [readObject] for those who do not keep the other fields.
func readFields(data []byte, into any) (others map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(data, &others); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if others == nil {
		return nil, fmt.Errorf("%w: null where an object is due", ErrMalformed)
	}
	for name, field := range knownFields(reflect.ValueOf(into).Elem()) {
		value, ok := others[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(value, field.Addr().Interface()); err != nil {
			return nil, fmt.Errorf("%w: %.80s: %w", ErrMalformed, name, err)
		}
		delete(others, name)
	}
	return others, nil
}

// writeObject returns a struct as a JSON object on one line, followed by what
// was not known of it. A field that became known since wins over its extra.
func writeObject(from any, extra Extra) ([]byte, error) {
	out, err := encode(from)
	if err != nil {
		return nil, err
	}
	value := reflect.ValueOf(from)
	known := knownFields(value)
	out = out[:len(out)-1]
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if _, ok := known[name]; ok {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		key, err := encode(name)
		if err != nil {
			return nil, err
		}
		raw, err := encode(extra[name])
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
		out = append(append(append(out, key...), ':'), raw...)
	}
	return append(out, '}'), nil
}

// knownFields returns the fields of a struct by their JSON names, those of
// embedded structs among them. New fields of the trade's words are thereby
// carried without a change here.
func knownFields(value reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value)
	for i := range value.NumField() {
		field := value.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			maps.Copy(fields, knownFields(value.Field(i)))
		case name != "-" && name != "":
			fields[name] = value.Field(i)
		}
	}
	return fields
}

// encode returns v as JSON on one line. Signs such as & are left alone: these
// files are not pages.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// document returns v as indented JSON with a final line break.
func document(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
