package whatsapp

import (
	"strconv"

	"github.com/knobot/knobot/services/channels"
)

type template struct {
	Name       string      `json:"name"`
	Language   language    `json:"language"`
	Components []component `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

// component gives values to the header, the body or one button.
type component struct {
	Type       string      `json:"type"`
	SubType    string      `json:"sub_type,omitempty"`
	Index      string      `json:"index,omitempty"`
	Parameters []parameter `json:"parameters"`
}

// parameter has the field that its type names.
type parameter struct {
	Type       string `json:"type"`
	Name       string `json:"parameter_name,omitempty"`
	Text       string `json:"text,omitempty"`
	Payload    string `json:"payload,omitempty"`
	CouponCode string `json:"coupon_code,omitempty"`
	attached
}

func newTemplate(t channels.Template, place placer) (*template, error) {
	out := &template{Name: t.Name, Language: language{Code: t.Language}}
	components := t.Components
	if len(t.BodyParameters) > 0 {
		components = []channels.TemplateComponent{bodyOf(t.BodyParameters)}
	}
	for _, c := range components {
		written, err := newComponent(c, place)
		if err != nil {
			return nil, err
		}
		out.Components = append(out.Components, written)
	}
	return out, nil
}

func bodyOf(texts []string) channels.TemplateComponent {
	c := channels.TemplateComponent{Type: channels.TemplateBody}
	for _, text := range texts {
		c.Parameters = append(c.Parameters, channels.TemplateParameter{Text: text})
	}
	return c
}

// newComponent writes a component. A button's place is a string, as in Meta's examples (Cloud API, "Template messages", in
// facebook/openapi of 2025-11).
func newComponent(c channels.TemplateComponent, place placer) (component, error) {
	out := component{Type: string(c.Type)}
	if c.Type.Button() {
		out.Type, out.SubType, out.Index = "button", string(c.Type), strconv.Itoa(c.Index)
	}
	for _, p := range c.Parameters {
		written, err := newParameter(c.Type, p, place)
		if err != nil {
			return component{}, err
		}
		out.Parameters = append(out.Parameters, written)
	}
	return out, nil
}

func newParameter(of channels.TemplateComponentType, p channels.TemplateParameter, place placer) (parameter, error) {
	switch {
	case p.Media != nil:
		kind, file, err := attach(*p.Media, "", place)
		return parameter{Type: kind, Name: p.Name, attached: file}, err
	case of == channels.TemplateQuickReply:
		return parameter{Type: "payload", Payload: p.Text}, nil
	case of == channels.TemplateCopyCode:
		return parameter{Type: "coupon_code", CouponCode: p.Text}, nil
	default:
		return parameter{Type: "text", Name: p.Name, Text: p.Text}, nil
	}
}
