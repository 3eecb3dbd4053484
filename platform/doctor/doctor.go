// Package doctor is the shape of what programs find out about themselves and their surroundings: how it is, and the cure of
// what is wrong.
package doctor

import "fmt"

// State is how something is.
type State int

// The states.
const (
	OK      State = iota + 1 // as it should be
	Warning                  // it works, and may soon not, or not as well as it could
	Failed                   // it does not work
	Skipped                  // it could not be looked at
)

// Finding is what one check found. It holds no secret.
type Finding struct {
	// Check names what was looked at, for programs: such as "whatsapp.token".
	Check string
	State State
	// Summary says what was seen.
	Summary string
	// Cure says what to do, empty where nothing needs doing.
	Cure string
}

// Fine returns a finding that all is well.
func Fine(check, format string, a ...any) Finding {
	return Finding{Check: check, State: OK, Summary: fmt.Sprintf(format, a...)}
}

// Skip returns a finding of what could not be looked at, and why.
func Skip(check, format string, a ...any) Finding {
	return Finding{Check: check, State: Skipped, Summary: fmt.Sprintf(format, a...)}
}

// Warn returns a finding that needs attention; With adds the cure.
func Warn(check, format string, a ...any) Finding {
	return Finding{Check: check, State: Warning, Summary: fmt.Sprintf(format, a...)}
}

// Fail returns a finding of what does not work; With adds the cure.
func Fail(check, format string, a ...any) Finding {
	return Finding{Check: check, State: Failed, Summary: fmt.Sprintf(format, a...)}
}

// With returns the finding with its cure.
func (f Finding) With(format string, a ...any) Finding {
	f.Cure = fmt.Sprintf(format, a...)
	return f
}
