package dialogue

import (
	"sync"

	"github.com/knobot/knobot/services/conversation"
)

// slots shares the places of a worker out between integrations: where there are several, none holds more than half, so that
// nobody waits behind another's backlog.
type slots struct {
	mu    sync.Mutex
	total int
	taken int
	held  map[conversation.IntegrationID]int
}

func newSlots(total int) *slots {
	return &slots{total: max(total, 1), held: map[conversation.IntegrationID]int{}}
}

// rooms returns what each integration may still claim, and how much there is in all.
func (s *slots) rooms(answering []conversation.IntegrationID) ([]conversation.Room, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := s.total - s.taken
	if free <= 0 {
		return nil, 0
	}
	share := s.total
	if len(answering) > 1 {
		share = (s.total + 1) / 2
	}
	var rooms []conversation.Room
	for _, id := range answering {
		if open := min(share-s.held[id], free); open > 0 {
			rooms = append(rooms, conversation.Room{Integration: id, Free: open, Held: s.held[id]})
		}
	}
	return rooms, free
}

func (s *slots) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken >= s.total
}

func (s *slots) take(id conversation.IntegrationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	s.held[id]++
}

func (s *slots) give(id conversation.IntegrationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.held[id]--; s.held[id] == 0 {
		delete(s.held, id)
	}
}
