// Package scenario plays a file of steps against the simulator: customers write,
// press, react and move house, faults strike, and answers are compared with what
// the file expects. docs/simulator.md describes the format.
package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/knobot/knobot/simulator"
)

// Scenario is a file of steps.
type Scenario struct {
	Name string
	// Within is how long an expectation waits unless it says otherwise.
	Within simulator.Duration
	// Customers are who acts, by name: platform, from, and whatever else all that
	// they say has in common, such as a group.
	Customers map[string]simulator.Utterance
	// Files are what can be sent, by name.
	Files map[string]File
	Steps []Step
}

// File is something that a customer can send.
type File struct {
	// Name is the file's own name.
	Name string `json:"name,omitempty"`
	Type string `json:"type"`
	// One of the three holds the content: a path beside the scenario, a text, or
	// bytes in base64.
	Path   string `json:"path,omitempty"`
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
}

// Step is one line of the story: at most one act, then what is expected.
type Step struct {
	// As names the customer.
	As string `json:"as,omitempty"`
	// Label names the message that is said, for reply_to and target.
	Label string `json:"label,omitempty"`
	// Say is a text; Send any utterance, on top of what the customer has in
	// common. Album sends several in one; Batch says several in one webhook.
	Say   string            `json:"say,omitempty"`
	Send  json.RawMessage   `json:"send,omitempty"`
	Album []json.RawMessage `json:"album,omitempty"`
	Batch []json.RawMessage `json:"batch,omitempty"`
	// Repeat does the act that often.
	Repeat int `json:"repeat,omitempty"`
	// Press is the caption or data of a button; the latest message that has it is
	// meant.
	Press   string                `json:"press,omitempty"`
	Phone   *simulator.Phone      `json:"phone,omitempty"`
	Move    *simulator.Move       `json:"move,omitempty"`
	Connect *simulator.Connection `json:"connect,omitempty"`
	Raw     *simulator.Raw        `json:"raw,omitempty"`
	Fault   *simulator.Fault      `json:"fault,omitempty"`
	// ClearFaults calls all faults off.
	ClearFaults bool `json:"clear_faults,omitempty"`
	// Wait waits that long for any answer. Quiet expects none for that long.
	Wait   simulator.Duration `json:"wait,omitempty"`
	Quiet  simulator.Duration `json:"quiet,omitempty"`
	Expect []Expectation      `json:"expect,omitempty"`
}

// Expectation is something that the business should do. Members that are absent
// do not matter; an empty one is met by any message.
type Expectation struct {
	Contains Texts `json:"contains,omitempty"`
	Lacks    Texts `json:"lacks,omitempty"`
	// Kind is that of the message; Button the caption or data of one of its
	// buttons; ReplyTo the label of the message that it quotes.
	Kind    string `json:"kind,omitempty"`
	Button  string `json:"button,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
	// Reaction expects this emoji on a message instead, Draft a draft, Typing the
	// typing indicator, State an earlier message that gets so far.
	Reaction string          `json:"reaction,omitempty"`
	Draft    bool            `json:"draft,omitempty"`
	Typing   bool            `json:"typing,omitempty"`
	State    simulator.State `json:"state,omitempty"`
	// Within is how long it may take.
	Within simulator.Duration `json:"within,omitempty"`
	// Label names the message that meets it.
	Label string `json:"label,omitempty"`
}

// Texts is one text or a list of them.
type Texts []string

// UnmarshalJSON reads both.
func (t *Texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = Texts{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// maxFile bounds a scenario.
const maxFile = 1 << 20

// Load reads a scenario, in YAML or JSON. A member that it does not know is an
// error, so that a mistyped expectation is not a met one.
func Load(r io.Reader) (Scenario, error) {
	var s Scenario
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return s, fmt.Errorf("read the scenario: %w", err)
	}
	if len(raw) > maxFile {
		return s, errors.New("the scenario is larger than 1 MiB")
	}
	var tree any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		return s, fmt.Errorf("the scenario is no YAML: %w", err)
	}
	if raw, err = json.Marshal(tree); err != nil {
		return s, fmt.Errorf("the scenario has a key that is no text: %w", err)
	}
	var file struct {
		Name      string                     `json:"name"`
		Within    simulator.Duration         `json:"within"`
		Customers map[string]json.RawMessage `json:"customers"`
		Files     map[string]File            `json:"files"`
		Steps     []json.RawMessage          `json:"steps"`
	}
	if err := strict(raw, &file); err != nil {
		return s, fmt.Errorf("the scenario: %w", err)
	}
	s = Scenario{
		Name: file.Name, Within: file.Within, Files: file.Files, Customers: make(map[string]simulator.Utterance),
		Steps: make([]Step, len(file.Steps)),
	}
	for name, raw := range file.Customers {
		var u simulator.Utterance
		if err := strict(raw, &u); err != nil {
			return s, fmt.Errorf("customer %q: %w", name, err)
		}
		s.Customers[name] = u
	}
	for i, raw := range file.Steps {
		if err := strict(raw, &s.Steps[i]); err != nil {
			return s, fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return s, s.check()
}

func strict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// check finds what would go wrong only later.
func (s Scenario) check() error {
	if len(s.Steps) == 0 {
		return errors.New("the scenario has no steps")
	}
	for i, step := range s.Steps {
		if _, ok := s.Customers[step.As]; step.As != "" && !ok {
			return fmt.Errorf("step %d: there is no customer %q", i+1, step.As)
		}
		if acts := step.acts(); acts > 1 {
			return fmt.Errorf("step %d does %d things; it may do one", i+1, acts)
		}
		if step.As == "" && step.needsCustomer() {
			return fmt.Errorf("step %d needs a customer in as", i+1)
		}
	}
	return nil
}

func (s Step) acts() int {
	count := 0
	for _, given := range []bool{
		s.Say != "", s.Send != nil, s.Album != nil, s.Batch != nil, s.Press != "", s.Phone != nil, s.Move != nil,
		s.Connect != nil, s.Raw != nil, s.Fault != nil, s.ClearFaults,
	} {
		if given {
			count++
		}
	}
	return count
}

func (s Step) needsCustomer() bool {
	return s.Connect == nil && s.Raw == nil && s.Fault == nil && !s.ClearFaults
}
