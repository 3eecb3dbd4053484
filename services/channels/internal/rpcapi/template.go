package rpcapi

import (
	"regexp"

	channelsv1 "github.com/knobot/knobot/gen/knobot/channels/v1"
	"github.com/knobot/knobot/services/channels"
	"github.com/knobot/knobot/services/channels/internal/delivery"
)

const (
	// Meta's figures are not published for templates; these only keep nonsense out.
	maxTemplateParameters = 50
	maxParameter          = 4096
	maxPayload            = 256
	maxComponents         = 12
	// maxButtonIndex is the last place of a button (facebook/openapi of 2025-11, TemplateComponent: "0-9").
	maxButtonIndex = 9
	// defaultTemplateLanguage is the mission's.
	defaultTemplateLanguage = "es"
)

var (
	templateName     = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	templateLanguage = regexp.MustCompile(`^[a-z]{2,3}(_[A-Za-z]{2,4})?$`)
	parameterName    = regexp.MustCompile(`^[a-z0-9_]{0,100}$`)
)

func templateMessage(r *channelsv1.SendTemplateRequest) (delivery.TemplateMessage, error) {
	to, err := address(r.GetAddress())
	m := delivery.TemplateMessage{RequestID: r.GetRequestId(), To: to, Template: channels.Template{
		Name: r.GetTemplate(), Language: r.GetLanguage(), BodyParameters: r.GetBodyParameters(),
	}}
	if m.Template.Language == "" {
		m.Template.Language = defaultTemplateLanguage
	}
	err = firstError(ascii("request_id", m.RequestID, 1, maxRequestID), err, templateHead(m.Template))
	if err != nil {
		return m, err
	}
	if len(r.GetComponents()) > 0 && len(r.GetBodyParameters()) > 0 {
		return m, conflict("components", "they hold the body's values too, so body_parameters must be empty")
	}
	m.Template.Components, err = components(r.GetComponents())
	return m, err
}

// templateHead checks everything but the components.
func templateHead(t channels.Template) error {
	switch {
	case !templateName.MatchString(t.Name):
		return invalid("template", "1 to 512 of a-z, 0-9 and _ are needed")
	case !templateLanguage.MatchString(t.Language):
		return invalid("language", "a language code such as es or es_MX is needed")
	case len(t.BodyParameters) > maxTemplateParameters:
		return invalid("body_parameters", "at most %d", maxTemplateParameters)
	}
	for _, p := range t.BodyParameters {
		if err := text("body_parameters", p, 1, maxParameter); err != nil {
			return err
		}
	}
	return nil
}

func components(all []*channelsv1.TemplateComponent) ([]channels.TemplateComponent, error) {
	if len(all) > maxComponents {
		return nil, invalid("components", "at most %d", maxComponents)
	}
	var out []channels.TemplateComponent
	type place struct {
		of    channels.TemplateComponentType
		index int
	}
	taken := map[place]bool{}
	for _, p := range all {
		c, err := component(p)
		if err != nil {
			return nil, err
		}
		at := place{of: c.Type}
		if c.Type.Button() {
			at = place{of: "button", index: c.Index}
		}
		if taken[at] {
			return nil, invalid("components", "two of them are for the same part of the template")
		}
		taken[at] = true
		out = append(out, c)
	}
	return out, nil
}

func component(p *channelsv1.TemplateComponent) (channels.TemplateComponent, error) {
	c := channels.TemplateComponent{Index: int(p.GetIndex())}
	var err error
	if c.Type, err = componentType(p.GetType()); err != nil {
		return c, err
	}
	switch n := len(p.GetParameters()); {
	case c.Type != channels.TemplateBody && n != 1:
		return c, invalid("components.parameters", "a header and a button take one value each")
	case n < 1 || n > maxTemplateParameters:
		return c, invalid("components.parameters", "1 to %d are needed", maxTemplateParameters)
	case c.Index < 0 || c.Index > maxButtonIndex || c.Index != 0 && !c.Type.Button():
		return c, invalid("components.index", "0 to %d, and of buttons only", maxButtonIndex)
	}
	for _, v := range p.GetParameters() {
		value, err := parameter(c.Type, v)
		if err != nil {
			return c, err
		}
		c.Parameters = append(c.Parameters, value)
	}
	return c, oneNaming(c)
}

func componentType(t channelsv1.TemplateComponent_Type) (channels.TemplateComponentType, error) {
	switch t {
	case channelsv1.TemplateComponent_TYPE_HEADER:
		return channels.TemplateHeader, nil
	case channelsv1.TemplateComponent_TYPE_BODY:
		return channels.TemplateBody, nil
	case channelsv1.TemplateComponent_TYPE_QUICK_REPLY_BUTTON:
		return channels.TemplateQuickReply, nil
	case channelsv1.TemplateComponent_TYPE_URL_BUTTON:
		return channels.TemplateURL, nil
	case channelsv1.TemplateComponent_TYPE_COPY_CODE_BUTTON:
		return channels.TemplateCopyCode, nil
	default:
		return "", invalid("components.type", "is missing or unknown")
	}
}

func parameter(of channels.TemplateComponentType, p *channelsv1.TemplateParameter) (channels.TemplateParameter, error) {
	v := channels.TemplateParameter{Name: p.GetName()}
	if !parameterName.MatchString(v.Name) || v.Name != "" && of.Button() {
		return v, invalid("components.parameters.name", "at most 100 of a-z, 0-9 and _, and none for a button")
	}
	var err error
	switch value := p.GetValue().(type) {
	case *channelsv1.TemplateParameter_Text:
		v.Text = value.Text
		most := maxParameter
		if of == channels.TemplateQuickReply || of == channels.TemplateCopyCode {
			most = maxPayload
		}
		err = text("components.parameters.text", v.Text, 1, most)
	case *channelsv1.TemplateParameter_Media:
		v.Media, err = headerMedia(of, v.Name, value.Media)
	default:
		err = invalid("components.parameters", "a value is missing")
	}
	return v, err
}

// headerMedia takes a file where templates have them.
func headerMedia(of channels.TemplateComponentType, name string, p *channelsv1.OutboundMedia) (*channels.Media, error) {
	m, err := outboundMedia("components.parameters.media", p)
	switch {
	case err != nil:
		return nil, err
	case of != channels.TemplateHeader || name != "":
		return nil, conflict("components.parameters.media", "a file goes into the header, without a name")
	case m.Kind == channels.MediaAudio || m.Kind == channels.MediaVoice || m.Kind == channels.MediaSticker:
		return nil, conflict("components.parameters.media", "a header shows an image, a video or a document")
	}
	return m, nil
}

// oneNaming refuses a component whose placeholders are numbered and named.
func oneNaming(c channels.TemplateComponent) error {
	for _, p := range c.Parameters {
		if (p.Name == "") != (c.Parameters[0].Name == "") {
			return conflict("components.parameters.name", "name all placeholders or none")
		}
	}
	return nil
}
