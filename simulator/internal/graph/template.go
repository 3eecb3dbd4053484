package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knobot/knobot/simulator"
)

type templateBody struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []templateComponent `json:"components"`
}

type templateComponent struct {
	Type       string              `json:"type"`
	SubType    string              `json:"sub_type"`
	Index      any                 `json:"index"`
	Parameters []templateParameter `json:"parameters"`
}

type templateParameter struct {
	Type     string     `json:"type"`
	Name     string     `json:"parameter_name"`
	Text     string     `json:"text"`
	Payload  string     `json:"payload"`
	Code     string     `json:"coupon_code"`
	Image    *mediaBody `json:"image"`
	Video    *mediaBody `json:"video"`
	Document *mediaBody `json:"document"`
}

func (a *API) checkTemplate(n simulator.Number, t *templateBody) *failure {
	switch {
	case t == nil:
		return present("template", false)
	case t.Name == "" || t.Language.Code == "":
		return parameter("The parameters template['name'] and template['language']['code'] are required.")
	}
	for i, c := range t.Components {
		if failed := a.checkComponent(i, c); failed != nil {
			return failed
		}
	}
	if len(n.Templates) == 0 || slices.Contains(n.Templates, t.Name+"/"+t.Language.Code) {
		return nil
	}
	return refused(codeTemplate, "template name (%s) does not exist in %s", t.Name, t.Language.Code)
}

func (a *API) checkComponent(i int, c templateComponent) *failure {
	switch strings.ToLower(c.Type) {
	case "header", "body":
	case "button":
		subtypes := []string{"quick_reply", "url", "copy_code", "flow", "catalog"}
		if !slices.Contains(subtypes, strings.ToLower(c.SubType)) || c.Index == nil {
			return parameter("template['components'][%d] of type button needs sub_type and index.", i)
		}
	default:
		return parameter("Param template['components'][%d]['type'] must be one of {HEADER, BODY, BUTTON} - got %q.", i, c.Type)
	}
	for j, p := range c.Parameters {
		where := fmt.Sprintf("template['components'][%d]['parameters'][%d]", i, j)
		if failed := a.checkParameter(where, c, p); failed != nil {
			return failed
		}
	}
	return nil
}

func (a *API) checkParameter(where string, c templateComponent, p templateParameter) *failure {
	needs := map[string]bool{
		"text": p.Text != "", "payload": p.Payload != "", "coupon_code": p.Code != "",
		"image": p.Image != nil, "video": p.Video != nil, "document": p.Document != nil,
		"currency": true, "date_time": true, "location": true, "action": true,
	}
	given, known := needs[p.Type]
	switch {
	case !known:
		return parameter("Param %s['type'] is not valid - got %q.", where, p.Type)
	case !given:
		return parameter("The parameter %s['%s'] is required.", where, p.Type)
	}
	file := p.file()
	if file == nil {
		return nil
	}
	if strings.ToLower(c.Type) != "header" {
		return parameter("Param %s['type'] must be text.", where)
	}
	return a.checkMedia(p.Type, file)
}

func (p templateParameter) file() *mediaBody {
	for _, file := range []*mediaBody{p.Image, p.Video, p.Document} {
		if file != nil {
			return file
		}
	}
	return nil
}

// show puts a template on the phone: its name and parameters, because its
// approved text is not known here, the file of its header, and its buttons.
func (a *API) showTemplate(m *simulator.Message, t *templateBody) {
	parts := []string{t.Name + " (" + t.Language.Code + ")"}
	for _, c := range t.Components {
		for _, p := range c.Parameters {
			if file := p.file(); file != nil {
				a.showFile(m, file)
			}
			if strings.EqualFold(c.Type, "button") {
				m.Buttons = append(m.Buttons, []simulator.Button{p.button(c)})
			} else if p.Text != "" {
				parts = append(parts, p.Text)
			}
		}
	}
	m.Text = strings.Join(parts, " · ")
}

func (p templateParameter) button(c templateComponent) simulator.Button {
	switch strings.ToLower(c.SubType) {
	case "quick_reply":
		return simulator.Button{Text: p.Payload, Data: p.Payload}
	case "copy_code":
		return simulator.Button{Text: p.Code}
	default:
		return simulator.Button{Text: p.Text}
	}
}
