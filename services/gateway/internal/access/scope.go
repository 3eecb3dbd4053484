package access

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// names says whether the field at a path of a request holds an id. Streams have no request yet and name nothing.
func names(request any, path, id string) bool {
	m, ok := request.(proto.Message)
	if !ok || path == "" {
		return false
	}
	value, ok := stringAt(m.ProtoReflect(), path)
	return ok && value == id
}

// stringAt reads the string at a path such as integration.id. It is false where the message has no such field.
func stringAt(m protoreflect.Message, path string) (string, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	switch {
	case field == nil || field.IsList() || field.IsMap():
		return "", false
	case deeper && field.Message() != nil:
		return stringAt(m.Get(field).Message(), rest)
	case !deeper && field.Kind() == protoreflect.StringKind:
		return m.Get(field).String(), true
	}
	return "", false
}
