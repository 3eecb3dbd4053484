package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/knobot/knobot/simulator"
)

// act does what a step does; a step may also only expect something.
func (p *player) act(ctx context.Context, s Step) error {
	switch {
	case s.Say != "":
		return p.send(ctx, s.As, s.Label, mustJSON(map[string]string{"text": s.Say}))
	case s.Send != nil:
		return p.send(ctx, s.As, s.Label, s.Send)
	case s.Album != nil:
		return p.album(ctx, s)
	case s.Batch != nil:
		return p.batch(ctx, s)
	case s.Press != "":
		return p.press(ctx, s)
	default:
		return p.actBeside(ctx, s)
	}
}

// actBeside does what is not said in a chat.
func (p *player) actBeside(ctx context.Context, s Step) error {
	var err error
	switch {
	case s.Phone != nil:
		p.say("%s * phone %s", s.As, mustJSON(s.Phone))
		_, err = p.sim.SetPhone(ctx, p.chats[s.As], *s.Phone)
	case s.Move != nil:
		err = p.move(ctx, s.As, *s.Move)
	case s.Connect != nil:
		p.say("* connection %s", mustJSON(s.Connect))
		_, err = p.sim.Connect(ctx, *s.Connect)
	case s.Raw != nil:
		var answer simulator.Answer
		answer, err = p.sim.Raw(ctx, *s.Raw)
		p.say("* raw webhook, answered %d", answer.Status)
	case s.Fault != nil:
		p.say("%s", describeFault(*s.Fault))
		_, err = p.sim.AddFault(ctx, *s.Fault)
	case s.ClearFaults:
		p.say("* faults off")
		err = p.sim.ClearFaults(ctx)
	}
	return err
}

func describeFault(f simulator.Fault) string {
	words := "* fault " + string(f.Kind)
	if f.Code != 0 {
		words += " " + strconv.Itoa(f.Code)
	}
	if f.Method != "" {
		words += " of " + f.Method
	}
	return words
}

// utterance is what a customer has in common with this one thing.
func (p *player) utterance(as string, raw json.RawMessage) (simulator.Utterance, error) {
	u := p.Customers[as]
	if err := strict(raw, &u); err != nil {
		return u, err
	}
	for _, name := range []*string{&u.ReplyTo, &u.Target} {
		if id, ok := p.labels[*name]; ok {
			*name = id
		}
	}
	if id, ok := p.files[u.Media]; ok {
		u.Media = id
	}
	return u, nil
}

func (p *player) send(ctx context.Context, as, label string, raw json.RawMessage) error {
	u, err := p.utterance(as, raw)
	if err != nil {
		return err
	}
	before := p.watch.now()
	said, err := p.sim.Say(ctx, u)
	if err != nil {
		return err
	}
	p.note(label, said)
	if said.ID == u.Target || u.Kind == "stop" { // changed rather than said, which is no event of its own
		p.say("%s * %s %s", as, u.Kind, u.Text+u.Emoji)
		return nil
	}
	return p.seen(ctx, before, said)
}

// seen waits until what was said is in the transcript, so that its order is
// that of the steps.
func (p *player) seen(ctx context.Context, from int, said simulator.Message) error {
	_, _, _, err := p.watch.next(ctx, from, time.Duration(p.Within), func(e simulator.Event) bool {
		return e.Type == simulator.EventMessage && e.Message.ID == said.ID && e.Chat == said.Chat
	})
	return err
}

// note remembers what a message is called.
func (p *player) note(label string, said simulator.Message) {
	if label != "" {
		p.labels[label] = said.ID
	}
}

func (p *player) album(ctx context.Context, s Step) error {
	id := strconv.FormatInt(time.Now().UnixNano(), 10)
	for i, raw := range s.Album {
		u, err := p.utterance(s.As, raw)
		if err != nil {
			return err
		}
		u.Album = id
		said, err := p.sim.Say(ctx, u)
		if err != nil {
			return err
		}
		label := s.Label
		if i > 0 {
			label = ""
		}
		p.note(label, said)
	}
	return nil
}

func (p *player) batch(ctx context.Context, s Step) error {
	all := make([]simulator.Utterance, len(s.Batch))
	for i, raw := range s.Batch {
		u, err := p.utterance(s.As, raw)
		if err != nil {
			return err
		}
		all[i] = u
	}
	_, err := p.sim.SayTogether(ctx, all)
	return err
}

// press presses the latest button of that caption or data.
func (p *player) press(ctx context.Context, s Step) error {
	chat := p.chats[s.As]
	messages, err := p.sim.Messages(ctx, chat, 0)
	if err != nil {
		return err
	}
	id, button, ok := latest(messages, s.Press)
	if !ok {
		return fmt.Errorf("no message has a button %q", s.Press)
	}
	p.say("%s > [%s]", s.As, button.Text)
	before := p.watch.now()
	pressed, err := p.sim.Press(ctx, simulator.Press{
		// A button of the reply keyboard has no data.
		Chat: chat, Message: id, Data: firstOf(button.Data, button.Text), From: p.Customers[s.As].From,
	})
	if err != nil {
		return err
	}
	p.note(s.Label, pressed)
	if pressed.ID == id { // Telegram's inline buttons say nothing in the chat
		return nil
	}
	return p.seen(ctx, before, pressed)
}

func latest(messages []simulator.Message, name string) (id string, button simulator.Button, ok bool) {
	for _, m := range slices.Backward(messages) {
		for _, b := range slices.Concat(slices.Concat(m.Buttons...), slices.Concat(m.Keyboard...)) {
			if b.Text == name || b.Data == name {
				return m.ID, b, true
			}
		}
	}
	return "", simulator.Button{}, false
}

func (p *player) move(ctx context.Context, as string, m simulator.Move) error {
	m.Chat = p.chats[as]
	info, err := p.sim.Move(ctx, m)
	if err != nil {
		return err
	}
	p.say("%s * is now %s (%s)", as, info.User, info.UserID)
	u := p.Customers[as]
	u.From, u.UserID = info.User, info.UserID
	p.Customers[as] = u
	p.here(as, info.Chat)
	return nil
}

// mustJSON writes plain values, which always works.
func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
