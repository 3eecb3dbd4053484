// Package chat is the state of the simulated phones: chats, messages, ticks,
// typing indicators. Every change is also an event, which the web page and the
// terminal chat follow. Memory is bounded: each chat keeps its last messages,
// and the longest silent chat makes room for a new one.
package chat

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/knobot/knobot/simulator"
	"github.com/knobot/knobot/simulator/internal/ring"
)

// ErrNoChat says that the customer never wrote to this account.
var ErrNoChat = errors.New("no such chat")

// ErrNoAccount says that the simulator imitates no such number or bot.
var ErrNoAccount = errors.New("no such account")

// ErrNoMessage says that the chat holds no message of that id (any longer).
var ErrNoMessage = errors.New("no such message")

// Limits bounds the memory of a store.
type Limits struct {
	Messages int // per chat
	Chats    int
	Events   int
}

// Store holds the chats of all accounts.
type Store struct {
	limits Limits
	events *ring.Log[simulator.Event]

	mu    sync.Mutex
	rooms map[simulator.Chat]*room
	seq   int64
}

type room struct {
	info     simulator.ChatInfo
	messages []*simulator.Message
	byID     map[string]*simulator.Message
}

// NewStore returns an empty store.
func NewStore(limits Limits) *Store {
	return &Store{
		limits: limits,
		events: ring.New[simulator.Event](limits.Events),
		rooms:  make(map[simulator.Chat]*room),
	}
}

// Events returns the stream of what happens.
func (s *Store) Events() *ring.Log[simulator.Event] { return s.events }

// Open makes sure that the chat exists and that person is known there; members
// of person that are empty stay as they were. A new chat's phone is open.
func (s *Store) Open(chat simulator.Chat, person simulator.Person) simulator.ChatInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rooms[chat]
	if !ok {
		s.makeSpace()
		r = &room{byID: make(map[string]*simulator.Message)}
		r.info = simulator.ChatInfo{Chat: chat, PhoneOpen: true, LastActive: time.Now()}
		s.rooms[chat] = r
	}
	known := &r.info.Person
	known.Name = cmp.Or(person.Name, known.Name)
	known.Username = cmp.Or(person.Username, known.Username)
	known.Language = cmp.Or(person.Language, known.Language)
	known.UserID = cmp.Or(person.UserID, known.UserID)
	known.Phone = cmp.Or(person.Phone, known.Phone)
	known.HidePhone = known.HidePhone || person.HidePhone
	return r.info
}

// Update changes what is known of a chat.
func (s *Store) Update(chat simulator.Chat, change func(*simulator.ChatInfo)) (simulator.ChatInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rooms[chat]
	if !ok {
		return simulator.ChatInfo{}, ErrNoChat
	}
	change(&r.info)
	return r.info, nil
}

func (s *Store) makeSpace() {
	if len(s.rooms) < s.limits.Chats {
		return
	}
	var oldest *room
	for _, r := range s.rooms {
		if oldest == nil || r.info.LastActive.Before(oldest.info.LastActive) {
			oldest = r
		}
	}
	if oldest != nil {
		delete(s.rooms, oldest.info.Chat)
	}
}

// Info returns what is known of a chat.
func (s *Store) Info(chat simulator.Chat) (simulator.ChatInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rooms[chat]
	if !ok {
		return simulator.ChatInfo{}, false
	}
	return r.info, true
}

// Find returns the first chat of an account that match accepts.
func (s *Store) Find(platform simulator.Platform, account string, match func(simulator.ChatInfo) bool) (simulator.ChatInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for chat, r := range s.rooms {
		if chat.Platform == platform && chat.Account == account && match(r.info) {
			return r.info, true
		}
	}
	return simulator.ChatInfo{}, false
}

// List returns all chats, the most recently active first.
func (s *Store) List() []simulator.ChatInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]simulator.ChatInfo, 0, len(s.rooms))
	for _, r := range s.rooms {
		list = append(list, r.info)
	}
	slices.SortFunc(list, func(a, b simulator.ChatInfo) int {
		return cmp.Or(b.LastActive.Compare(a.LastActive), cmp.Compare(a.User, b.User))
	})
	return list
}

// SetPhone stores what the customer did with the chat.
func (s *Store) SetPhone(chat simulator.Chat, phone simulator.Phone) (simulator.ChatInfo, error) {
	return s.Update(chat, func(info *simulator.ChatInfo) {
		for state, wanted := range map[*bool]*bool{
			&info.PhoneOpen: phone.Open, &info.Blocked: phone.Blocked, &info.HidePhone: phone.HidePhone,
		} {
			if wanted != nil {
				*state = *wanted
			}
		}
	})
}

func (s *Store) emit(event simulator.Event) {
	s.events.Append(func(seq int64) simulator.Event {
		event.Seq, event.Time = seq, time.Now()
		return event
	})
}
