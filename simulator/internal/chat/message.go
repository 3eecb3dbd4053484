package chat

import (
	"time"

	"github.com/knobot/knobot/simulator"
)

// Add puts a message into its chat, which must be open. A message from the
// business ends its typing indicator.
func (s *Store) Add(m simulator.Message) (simulator.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rooms[m.Chat]
	if !ok {
		return simulator.Message{}, ErrNoChat
	}
	s.seq++
	m.Seq = s.seq
	kept := m
	r.messages = append(r.messages, &kept)
	r.byID[m.ID] = &kept
	if excess := len(r.messages) - s.limits.Messages; excess > 0 {
		for _, old := range r.messages[:excess] {
			delete(r.byID, old.ID)
		}
		r.messages = append(r.messages[:0:0], r.messages[excess:]...)
	}
	r.info.Messages = len(r.messages)
	r.info.LastActive = time.Now()
	switch {
	case m.Direction == simulator.Outbound:
		r.info.TypingUntil, r.info.Draft = time.Time{}, nil
	case m.Time.After(r.info.LastInbound):
		r.info.LastInbound = m.Time
	}
	s.emit(simulator.Event{Type: simulator.EventMessage, Chat: m.Chat, Message: &m})
	return m, nil
}

// Messages returns the kept messages of a chat with numbers above after.
func (s *Store) Messages(chat simulator.Chat, after int64) []simulator.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []simulator.Message{}
	r, ok := s.rooms[chat]
	if !ok {
		return found
	}
	for _, m := range r.messages {
		if m.Seq > after {
			found = append(found, *m)
		}
	}
	return found
}

// Message returns one message.
func (s *Store) Message(chat simulator.Chat, id string) (simulator.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(chat, id)
	if err != nil {
		return simulator.Message{}, err
	}
	return *m, nil
}

func (s *Store) find(chat simulator.Chat, id string) (*simulator.Message, error) {
	r, ok := s.rooms[chat]
	if !ok {
		return nil, ErrNoChat
	}
	m, ok := r.byID[id]
	if !ok {
		return nil, ErrNoMessage
	}
	return m, nil
}

// Locate returns the message of an account by its id alone, as WhatsApp's
// read call names it.
func (s *Store) Locate(platform simulator.Platform, account, id string) (simulator.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for chat, r := range s.rooms {
		if chat.Platform != platform || chat.Account != account {
			continue
		}
		if m, ok := r.byID[id]; ok {
			return *m, nil
		}
	}
	return simulator.Message{}, ErrNoMessage
}

// Change edits one message and tells those who watch.
func (s *Store) Change(chat simulator.Chat, id string, edit func(*simulator.Message)) (simulator.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(chat, id)
	if err != nil {
		return simulator.Message{}, err
	}
	edit(m)
	changed := *m
	s.emit(simulator.Event{Type: simulator.EventUpdate, Chat: chat, Message: &changed})
	return changed, nil
}

// Advance raises a message's state, never lowering it, and reports whether it
// changed.
func (s *Store) Advance(chat simulator.Chat, id string, state simulator.State, failure string) (simulator.Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.find(chat, id)
	if err != nil || !m.State.CanBecome(state) {
		return simulator.Message{}, false
	}
	m.State, m.Error = state, failure
	changed := *m
	s.emit(simulator.Event{Type: simulator.EventUpdate, Chat: chat, Message: &changed})
	return changed, true
}

// ReadInbound marks the customer's messages up to and including id as read by
// the business, as both platforms do.
func (s *Store) ReadInbound(chat simulator.Chat, id string) {
	for _, m := range s.Messages(chat, 0) {
		if m.Direction == simulator.Inbound {
			s.Advance(chat, m.ID, simulator.StateRead, "")
		}
		if m.ID == id {
			return
		}
	}
}

// Typing shows that the business composes, until then.
func (s *Store) Typing(chat simulator.Chat, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rooms[chat]
	if !ok {
		return
	}
	r.info.TypingUntil = until
	s.emit(simulator.Event{Type: simulator.EventTyping, Chat: chat, Until: until})
}

// Draft shows a streamed answer as far as it got, in place of the one before.
func (s *Store) Draft(chat simulator.Chat, draft simulator.Draft) {
	_, err := s.Update(chat, func(info *simulator.ChatInfo) { info.Draft = &draft })
	if err == nil {
		s.emit(simulator.Event{Type: simulator.EventDraft, Chat: chat, Text: draft.Text, Until: draft.Until, Draft: &draft})
	}
}

// Notice shows the reply to a button press.
func (s *Store) Notice(chat simulator.Chat, text string, alert bool) {
	s.emit(simulator.Event{Type: simulator.EventNotice, Chat: chat, Text: text, Alert: alert})
}
